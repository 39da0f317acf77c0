//! Input under Wayland: `ext-idle-notify-v1` sends both edges as events.

use std::path::Path;
use std::rc::Rc;

use p2p_types::{By, Reading, Untold};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;
use tokio::time::timeout;
use wayland_client::backend::WaylandError;
use wayland_client::protocol::{wl_callback, wl_registry, wl_seat};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop};
use wayland_protocols::ext::idle_notify::v1::client::{ext_idle_notification_v1, ext_idle_notifier_v1};

use super::wake::wake;
use super::{ANSWER, Context, Lost};
use ext_idle_notification_v1::ExtIdleNotificationV1;
use ext_idle_notifier_v1::ExtIdleNotifierV1;

/// Since this version there is a notification that no film holds up.
const INPUT_ONLY: u32 = 2;

/// Whether the session is a Wayland one whose compositor answers.
pub(super) async fn answers(context: &Context) -> bool {
    let Some(socket) = context.options.places.wayland.as_deref() else { return false };
    matches!(timeout(ANSWER, Line::open(socket)).await, Ok(Ok(_)))
}

pub(super) async fn watch(context: Rc<Context>) -> Lost {
    let Some(socket) = context.options.places.wayland.as_deref() else {
        return Lost(By::IdleNotify, Untold::NoSession);
    };
    let why = follow(&context, socket).await.err().unwrap_or(Untold::Failed);
    Lost(By::IdleNotify, why)
}

async fn follow(context: &Context, socket: &Path) -> Result<(), Untold> {
    let mut line = timeout(ANSWER, Line::open(socket)).await.map_err(|_| Untold::Failed)??;
    let still = context.still_ms();
    line.state.still = u32::try_from(still).unwrap_or(u32::MAX);
    if line.state.notifier.is_none() {
        return Err(Untold::Unsupported);
    }
    let handle = line.queue.handle();
    for seat in std::mem::take(&mut line.state.early) {
        line.state.notify(seat, &handle);
    }
    loop {
        // The compositor counts from the moment of asking: until it speaks, somebody may be there.
        let seats = &line.state.seats;
        let idle = !seats.is_empty() && seats.iter().all(|(_, idle)| *idle);
        context.hub.reading(By::IdleNotify, Reading::Input { idle_ms: if idle { still } else { 0 } });
        line.turn().await?;
    }
}

/// A connection that is read without blocking.
struct Line {
    connection: Connection,
    queue: EventQueue<State>,
    state: State,
    socket: AsyncFd<std::os::fd::OwnedFd>,
}

#[derive(Default)]
struct State {
    still: u32,
    notifier: Option<ExtIdleNotifierV1>,
    /// Seats that came before the notifier was known.
    early: Vec<wl_seat::WlSeat>,
    /// The seats by their global names, and whether nobody touches them.
    seats: Vec<(u32, bool)>,
    names: Vec<(u32, wl_seat::WlSeat)>,
    listed: bool,
}

impl State {
    fn notify(&mut self, seat: wl_seat::WlSeat, handle: &QueueHandle<Self>) {
        let (Some(notifier), Some((name, _))) = (&self.notifier, self.names.iter().find(|(_, known)| *known == seat))
        else {
            return;
        };
        self.seats.push((*name, false));
        if notifier.version() >= INPUT_ONLY {
            notifier.get_input_idle_notification(self.still, &seat, handle, *name);
        } else {
            notifier.get_idle_notification(self.still, &seat, handle, *name);
        }
    }

    fn set(&mut self, seat: u32, idle: bool) {
        if let Some(known) = self.seats.iter_mut().find(|(name, _)| *name == seat) {
            known.1 = idle;
        }
    }
}

impl Line {
    /// Connects and hears what the compositor offers.
    async fn open(socket: &Path) -> Result<Self, Untold> {
        let stream = UnixStream::connect(socket).await.map_err(|_| Untold::Failed)?;
        let stream = stream.into_std().map_err(|_| Untold::Failed)?;
        let connection = Connection::from_socket(stream).map_err(|_| Untold::Failed)?;
        let queue: EventQueue<State> = connection.new_event_queue();
        let display = connection.display();
        display.get_registry(&queue.handle(), ());
        display.sync(&queue.handle(), ());
        let poll = connection.backend().poll_fd().try_clone_to_owned().map_err(|_| Untold::Failed)?;
        let socket = wake(poll, Interest::READABLE)?;
        let mut line = Self { connection, queue, state: State::default(), socket };
        while !line.state.listed {
            line.turn().await?;
        }
        Ok(line)
    }

    /// Waits until the compositor says something and takes it in.
    async fn turn(&mut self) -> Result<(), Untold> {
        let failed = |_| Untold::Failed;
        if self.queue.dispatch_pending(&mut self.state).map_err(failed)? > 0 {
            return Ok(());
        }
        // A compositor that takes no words gets them at the next turn.
        match self.connection.flush() {
            Ok(()) => {}
            Err(WaylandError::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return Err(Untold::Failed),
        }
        loop {
            let mut ready = self.socket.readable().await.map_err(|_| Untold::Failed)?;
            // Nobody else reads here, so there is nothing that was not dispatched.
            let Some(reading) = self.queue.prepare_read() else { break };
            match reading.read() {
                Ok(_) => break,
                Err(WaylandError::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(_) => return Err(Untold::Failed),
            }
        }
        self.queue.dispatch_pending(&mut self.state).map_err(failed)?;
        Ok(())
    }
}

impl Dispatch<wl_registry::WlRegistry, ()> for State {
    fn event(
        state: &mut Self,
        registry: &wl_registry::WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        match event {
            wl_registry::Event::Global { name, interface, version } => {
                if interface == ExtIdleNotifierV1::interface().name {
                    state.notifier = Some(registry.bind(name, version.min(INPUT_ONLY), handle, ()));
                } else if interface == wl_seat::WlSeat::interface().name {
                    let seat: wl_seat::WlSeat = registry.bind(name, 1, handle, ());
                    state.names.push((name, seat.clone()));
                    if state.listed {
                        state.notify(seat, handle);
                    } else {
                        state.early.push(seat);
                    }
                }
            }
            wl_registry::Event::GlobalRemove { name } => {
                state.seats.retain(|(seat, _)| *seat != name);
                state.names.retain(|(seat, _)| *seat != name);
            }
            _ => {}
        }
    }
}

impl Dispatch<wl_callback::WlCallback, ()> for State {
    fn event(
        state: &mut Self,
        _: &wl_callback::WlCallback,
        _: wl_callback::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        state.listed = true;
    }
}

impl Dispatch<ExtIdleNotificationV1, u32> for State {
    fn event(
        state: &mut Self,
        _: &ExtIdleNotificationV1,
        event: ext_idle_notification_v1::Event,
        seat: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            ext_idle_notification_v1::Event::Idled => state.set(*seat, true),
            ext_idle_notification_v1::Event::Resumed => state.set(*seat, false),
            _ => {}
        }
    }
}

delegate_noop!(State: ignore wl_seat::WlSeat);
delegate_noop!(State: ExtIdleNotifierV1);
