//! Room for the node's data. The call may hang with its file system, so it has a thread of its own.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, Reading, SignalKind, Untold};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{ANSWER, Context};

const REST: Duration = Duration::from_secs(300);
const WORK: Duration = Duration::from_secs(30);

pub(super) async fn watch(context: Rc<Context>) {
    loop {
        let folder = context.options.data.clone();
        let mut asked = spawn_blocking(move || free(&folder));
        let mut free = timeout(ANSWER, &mut asked).await;
        if free.is_err() {
            context.hub.cannot(SignalKind::Disk, By::FileSystem, Untold::Failed);
            // It is not asked again before it has answered: each question holds a thread.
            free = Ok(asked.await);
        }
        match free {
            Ok(Ok(Some(free_bytes))) => context.hub.reading(By::FileSystem, Reading::Disk { free_bytes }),
            _ => context.hub.cannot(SignalKind::Disk, By::FileSystem, Untold::Failed),
        }
        context.pause(REST, WORK).await;
    }
}

/// What programs without special rights can still write there. A folder that is yet to be made
/// will lie where its nearest parent lies.
fn free(folder: &Path) -> Option<u64> {
    let mut place = folder;
    loop {
        match rustix::fs::statvfs(place) {
            Ok(found) => return found.f_bavail.checked_mul(found.f_frsize),
            Err(rustix::io::Errno::NOENT) => place = place.parent().filter(|parent| *parent != Path::new(""))?,
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_room_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let here = free(folder.path()).unwrap();
        let there = free(&folder.path().join("a/b")).unwrap();
        assert!(here > 0 && here.abs_diff(there) < 1 << 30, "{here} {there}");
        assert_eq!(free(Path::new("a/b")), None);
    }
}
