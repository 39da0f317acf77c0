//! Input under X11: alarms on the server's counter of idle time.

use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, Reading, Untold};
use tokio::time::timeout;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::screensaver::ConnectionExt as _;
use x11rb::protocol::sync::{Alarm, ChangeAlarmAux, ConnectionExt as _, CreateAlarmAux, Int64, TESTTYPE, VALUETYPE};
use x11rb::rust_connection::RustConnection;

use super::{ANSWER, Context, Lost, x11};

/// Servers without the counter are asked this often.
const ASK: Duration = Duration::from_secs(1);

pub(super) async fn watch(context: Rc<Context>) -> Lost {
    let Some(display) = context.options.places.display.as_deref() else { return Lost(By::X11, Untold::NoSession) };
    let why = follow(&context, display).await.err().unwrap_or(Untold::Failed);
    Lost(By::X11, why)
}

async fn follow(context: &Context, display: &str) -> Result<(), Untold> {
    let still = context.still_ms();
    let mut events = x11::connect(display, move |connection, screen, tell| {
        alarms(connection, still, tell).or_else(|| asked(connection, screen, still, tell))
    })
    .await?;
    let mut first = timeout(ANSWER, events.next()).await.map_err(|_| Untold::Failed)?;
    while let Some(idle_ms) = first {
        context.hub.reading(By::X11, Reading::Input { idle_ms });
        first = events.next().await;
    }
    Ok(())
}

/// Tells both edges. Ends at once where there is no counter, else with the connection, in a panic
/// never.
fn alarms(connection: &RustConnection, still: u64, tell: &dyn Fn(u64)) -> Option<()> {
    connection.sync_initialize(3, 1).ok()?.reply().ok()?;
    let counters = connection.sync_list_system_counters().ok()?.reply().ok()?.counters;
    let counter = counters.iter().find(|counter| counter.name == b"IDLETIME")?.counter;
    let alarm = |value: u64, test| -> Option<Alarm> {
        let alarm = connection.generate_id().ok()?;
        let settings = CreateAlarmAux::new()
            .counter(counter)
            .value_type(VALUETYPE::ABSOLUTE)
            .value(int64(value))
            .test_type(test)
            .delta(int64(0))
            .events(1);
        connection.sync_create_alarm(alarm, &settings).ok()?.check().ok()?;
        Some(alarm)
    };
    let idle = alarm(still, TESTTYPE::POSITIVE_TRANSITION)?;
    // Half way down: the counter must go from above it to below it, and starts anew from 0.
    let active = alarm(still / 2, TESTTYPE::NEGATIVE_TRANSITION)?;
    let now = millis(connection.sync_query_counter(counter).ok()?.reply().ok()?.counter_value);
    tell(if now < still { 0 } else { now });
    loop {
        let Ok(event) = connection.wait_for_event() else { return Some(()) };
        let Event::SyncAlarmNotify(event) = event else { continue };
        if event.alarm == active {
            tell(0);
        } else if event.alarm == idle {
            tell(millis(event.counter_value).max(still));
        }
        // Some servers schedule an alarm again only when it is changed, if only in words.
        for alarm in [idle, active] {
            if connection.sync_change_alarm(alarm, &ChangeAlarmAux::new()).is_err() {
                return Some(());
            }
        }
        if connection.flush().is_err() {
            return Some(());
        }
    }
}

/// The way of older servers, which send nothing.
fn asked(connection: &RustConnection, screen: usize, still: u64, tell: &dyn Fn(u64)) -> Option<()> {
    let root = connection.setup().roots.get(screen)?.root;
    loop {
        let idle = connection.screensaver_query_info(root).ok()?.reply().ok()?.ms_since_user_input;
        tell(if u64::from(idle) < still { 0 } else { u64::from(idle) });
        std::thread::sleep(ASK);
    }
}

const fn int64(value: u64) -> Int64 {
    Int64 { hi: (value >> 32) as i32, lo: value as u32 }
}

const fn millis(value: Int64) -> u64 {
    // A counter of idle time is never negative.
    if value.hi < 0 { 0 } else { ((value.hi as u64) << 32) | value.lo as u64 }
}
