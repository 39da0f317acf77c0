//! Memory that can be had, and how hard it is to get. The kernel wakes us when programs wait for it.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, Reading, SignalKind, Untold};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Context;
use super::wake::wake;

const REST: Duration = Duration::from_secs(60);
const WORK: Duration = Duration::from_secs(5);
/// A tenth of two seconds in which something waited. Other windows need rights that we have not.
const TRIGGER: &[u8] = b"some 200000 2000000\0";
/// As long as there is pressure it is read this often: the kernel averages in this time.
const PRESSED: Duration = Duration::from_secs(2);

pub(super) async fn watch(context: Rc<Context>) {
    // Systems without it, or that do not let us, are read at the pace alone.
    let trigger = trigger(&context);
    loop {
        let reading = read(&context);
        match reading {
            Ok(reading) => context.hub.reading(By::Procfs, reading),
            Err(why) => context.hub.cannot(SignalKind::Memory, By::Procfs, why),
        }
        let pressed = matches!(reading, Ok(Reading::Memory { pressure_permille: Some(1..), .. }));
        let rest = if pressed { PRESSED } else { REST };
        let work = if pressed { PRESSED } else { WORK };
        match &trigger {
            Some(trigger) => tokio::select! {
                () = context.pause(rest, work) => {}
                ready = trigger.ready(Interest::PRIORITY) => {
                    if let Ok(mut ready) = ready {
                        ready.clear_ready();
                    }
                    // The average is made every two seconds; what was measured now shows then.
                    tokio::time::sleep(PRESSED).await;
                }
            },
            None => context.pause(rest, work).await,
        }
    }
}

fn trigger(context: &Context) -> Option<AsyncFd<OwnedFd>> {
    let file = context.proc("pressure/memory");
    // The kernel's own has no length. A copy is not written to.
    if fs::metadata(&file).ok()?.len() > 0 {
        return None;
    }
    let mut file = File::options().read(true).write(true).open(file).ok()?;
    file.write_all(TRIGGER).ok()?;
    wake(file, Interest::PRIORITY).ok()
}

fn read(context: &Context) -> Result<Reading, Untold> {
    let memory = fs::read_to_string(context.proc("meminfo")).map_err(|_| Untold::Unsupported)?;
    let field = |name| kibibytes(&memory, name).ok_or(Untold::Failed);
    let pressure = fs::read_to_string(context.proc("pressure/memory")).ok();
    Ok(Reading::Memory {
        available_bytes: field("MemAvailable:")?.saturating_mul(1024),
        total_bytes: field("MemTotal:")?.saturating_mul(1024),
        pressure_permille: pressure.as_deref().and_then(permille),
    })
}

fn kibibytes(memory: &str, name: &str) -> Option<u64> {
    let line = memory.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The share of ten seconds in which something waited, as in `some avg10=12.34 avg60=...`.
fn permille(pressure: &str) -> Option<u16> {
    let some = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    let percent = some.split(' ').find_map(|word| word.strip_prefix("avg10="))?;
    let (whole, hundredths) = percent.split_once('.')?;
    let tenths = u16::from(*hundredths.as_bytes().first().filter(|digit| digit.is_ascii_digit())? - b'0');
    Some((whole.parse::<u16>().ok()?.checked_mul(10)?.checked_add(tenths)?).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let memory = "MemTotal:       24567890 kB\nMemFree: 1 kB\nMemAvailable:    1234 kB\n";
        assert_eq!(kibibytes(memory, "MemTotal:"), Some(24_567_890));
        assert_eq!(kibibytes(memory, "MemAvailable:"), Some(1234));
        assert_eq!(kibibytes(memory, "Mem:"), None);
        let text = "some avg10=12.34 avg60=0.00 avg300=0.00 total=7\nfull avg10=99.00 avg60=0.00 total=0\n";
        assert_eq!(permille(text), Some(123));
        assert_eq!(permille("some avg10=100.00 avg60=1.00"), Some(1000));
        assert_eq!(permille("full avg10=1.00"), None);
        assert_eq!(permille("some avg10=x"), None);
    }
}
