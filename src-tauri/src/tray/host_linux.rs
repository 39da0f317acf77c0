//! Linux: there is a tray when somebody owns `org.kde.StatusNotifierWatcher` on the session bus
//! and says that it shows what it is given. It may come and go: desktops differ in whether they
//! have one, and panels start late and restart.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::watch;
use zbus::fdo::DBusProxy;
use zbus::{Connection, MatchRule, MessageStream, message};

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";
const HOST_PROPERTY: &str = "IsStatusNotifierHostRegistered";
/// A watcher that does not answer in this time is none.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Whether there is a tray; `None` until that is known.
pub(super) fn watch() -> watch::Receiver<Option<bool>> {
    let (say, there) = watch::channel(None);
    tauri::async_runtime::spawn(async move {
        if let Err(error) = follow(&say).await {
            tracing::info!("no tray: the session bus cannot be used: {error}");
        }
        // Nothing more will be heard: where nothing was, there is no tray.
        say.send_if_modified(|there| there.replace(false) != Some(false));
        // The receiver waits for changes that do not come, and must not take that for an end.
        say.closed().await;
    });
    there
}

async fn follow(say: &watch::Sender<Option<bool>>) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let dbus = DBusProxy::new(&bus).await?;
    let mut owners = dbus.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
    let hosts = MatchRule::builder().msg_type(message::Type::Signal).interface(WATCHER)?.build();
    let mut hosts = MessageStream::for_match_rule(hosts, &bus, None).await?;
    loop {
        let there = tokio::time::timeout(ANSWER_LIMIT, is_there(&bus, &dbus)).await.unwrap_or(false);
        say.send_if_modified(|was| was.replace(there) != Some(there));
        tokio::select! {
            change = owners.next() => if change.is_none() { return Ok(()) },
            signal = hosts.next() => if signal.is_none() { return Ok(()) },
        }
    }
}

async fn is_there(bus: &Connection, dbus: &DBusProxy<'_>) -> bool {
    let name = WATCHER.try_into().expect("the name is well formed");
    if !dbus.name_has_owner(name).await.unwrap_or(false) {
        return false;
    }
    let reply = bus
        .call_method(
            Some(WATCHER),
            WATCHER_PATH,
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &(WATCHER, HOST_PROPERTY),
        )
        .await;
    // A watcher that does not know the property is taken at its name.
    reply.map_or(true, |reply| {
        reply
            .body()
            .deserialize::<zbus::zvariant::OwnedValue>()
            .ok()
            .and_then(|value| bool::try_from(value).ok())
            .unwrap_or(true)
    })
}
