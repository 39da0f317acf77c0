//! Linux: one thread of tasks, nearly all of which wait for an event.

use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, SignalKind, Untold};
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::hub::Hub;
use super::patience::Patience;
use super::{Options, Pace, Scope, Wish};

mod bus;
mod disk;
mod full_screen;
mod inhibitors;
mod input;
pub(super) mod load;
mod logind;
mod memory;
mod metered;
mod mutter;
mod power;
mod power_supply;
mod reasons;
mod temperature;
mod wake;
mod wayland;
mod x11;
mod x11_idle;
mod zone;

/// No answer of the system is waited for longer.
const ANSWER: Duration = Duration::from_secs(2);

/// Shorter pauses would be told between two keys.
const SHORTEST_MS: u64 = 100;

/// A thread that has asked a file system waits so long for another question.
const HELPER: Duration = Duration::from_secs(1);
/// It calls nothing deep.
const STACK: usize = 128 * 1024;

/// Why a source ended, and which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lost(By, Untold);

/// What every source is given.
struct Context {
    hub: Hub,
    options: Options,
    system: bus::Bus,
    session: bus::Bus,
    wish: watch::Receiver<Wish>,
}

impl Context {
    fn proc(&self, file: &str) -> PathBuf {
        self.options.places.procfs.join(file)
    }

    fn sys(&self, file: &str) -> PathBuf {
        self.options.places.sysfs.join(file)
    }

    /// Until it is time to read again, or somebody wishes it.
    async fn pause(&self, rest: Duration, work: Duration) {
        let mut wish = self.wish.clone();
        let wait = match wish.borrow_and_update().pace {
            Pace::Rest => rest,
            Pace::Work => work,
        };
        if let Ok(Err(_)) = tokio::time::timeout(wait, wish.changed()).await {
            // The watch is over; the task ends with its runtime.
            std::future::pending::<()>().await;
        }
    }

    fn still_ms(&self) -> u64 {
        u64::try_from(self.options.still.as_millis()).unwrap_or(u64::MAX).max(SHORTEST_MS)
    }
}

/// The body of a watch's thread.
pub(super) fn run(scope: Scope, options: Options, hub: Hub, wish: watch::Receiver<Wish>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_io().enable_time().max_blocking_threads(2).thread_keep_alive(HELPER).thread_stack_size(STACK);
    let runtime = match runtime.build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::warn!(%error, "no signals are watched: the system gives no event queue");
            for kind in scope.kinds() {
                hub.cannot(*kind, By::Nothing, Untold::Failed);
            }
            return;
        }
    };
    let places = options.places.clone();
    let context = Rc::new(Context {
        hub,
        options,
        system: bus::Bus::new(places.system_bus),
        session: bus::Bus::new(places.session_bus),
        wish: wish.clone(),
    });
    let tasks = LocalSet::new();
    match scope {
        Scope::Session => session(&tasks, &context),
        Scope::Machine => machine(&tasks, &context),
    }
    let hub = Rc::clone(&context);
    tasks.block_on(&runtime, async move { obey(&hub.hub, wish).await });
    {
        // Whoever listens to a bus says goodbye when it is dropped, and needs the runtime for that.
        let _inside = runtime.enter();
        drop((tasks, context));
    }
    // A thread that waits for a dead file system is not waited for.
    runtime.shutdown_background();
}

/// Until nobody wishes anything any more. Readings that a wish brings come by themselves, right after.
async fn obey(hub: &Hub, mut wish: watch::Receiver<Wish>) {
    let mut again = wish.borrow_and_update().again;
    while wish.changed().await.is_ok() {
        let wished = wish.borrow_and_update().again;
        if std::mem::replace(&mut again, wished) != wished {
            hub.say_again();
        }
    }
}

fn session(tasks: &LocalSet, context: &Rc<Context>) {
    tasks.spawn_local(again(Rc::clone(context), SignalKind::Input, input::ladder));
    tasks.spawn_local(again(Rc::clone(context), SignalKind::FullScreen, full_screen::watch));
    tasks.spawn_local(inhibitors::watch(Rc::clone(context)));
}

fn machine(tasks: &LocalSet, context: &Rc<Context>) {
    tasks.spawn_local(power::watch(Rc::clone(context)));
    tasks.spawn_local(metered::watch(Rc::clone(context)));
    tasks.spawn_local(temperature::watch(Rc::clone(context)));
    tasks.spawn_local(load::watch(Rc::clone(context)));
    tasks.spawn_local(memory::watch(Rc::clone(context)));
    tasks.spawn_local(disk::watch(Rc::clone(context)));
    tasks.spawn_local(zone::watch(Rc::clone(context)));
}

/// Runs a source again and again, ever more patiently while it fails.
async fn again<F: Future<Output = Lost>>(context: Rc<Context>, kind: SignalKind, source: fn(Rc<Context>) -> F) {
    let mut patience = Patience::new();
    loop {
        patience.begin();
        let Lost(by, why) = source(Rc::clone(&context)).await;
        context.hub.cannot(kind, by, why);
        sleep(patience.after_failure()).await;
    }
}
