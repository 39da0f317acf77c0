//! D-Bus: one connection a bus, calls with an end, and re-reading whenever something was said.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use p2p_types::Untold;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use zbus::export::futures_core::Stream;
use zbus::export::serde::Serialize;
use zbus::message::Type;
use zbus::zvariant::{DynamicDeserialize, DynamicType, OwnedValue};
use zbus::{Connection, MatchRule, Message, MessageStream};

use super::ANSWER;
use crate::signals::patience::Patience;

/// What one program says comes in bursts; it is read once for all of it.
const BURST: Duration = Duration::from_millis(20);
const QUEUE: usize = 256;

/// An object of another program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) interface: &'static str,
}

impl Object {
    /// Whether the program runs. Asking starts none.
    pub(super) async fn is_there(&self, on: &Connection) -> Result<bool, Untold> {
        BUS.call(on, "NameHasOwner", &(self.name,)).await
    }

    pub(super) async fn call<B, R>(&self, on: &Connection, method: &str, body: &B) -> Result<R, Untold>
    where
        B: Serialize + DynamicType,
        R: for<'d> DynamicDeserialize<'d>,
    {
        call(on, self.name, self.path, self.interface, method, body).await
    }

    pub(super) async fn get<T: TryFrom<OwnedValue>>(&self, on: &Connection, property: &str) -> Result<T, Untold> {
        let body = (self.interface, property);
        let value: OwnedValue = call(on, self.name, self.path, "org.freedesktop.DBus.Properties", "Get", &body).await?;
        value.try_into().map_err(|_| Untold::Failed)
    }
}

const BUS: Object =
    Object { name: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

/// As [`Object::call`], for objects whose path is known only now.
pub(super) async fn call<B, R>(
    on: &Connection,
    name: &str,
    path: &str,
    interface: &str,
    method: &str,
    body: &B,
) -> Result<R, Untold>
where
    B: Serialize + DynamicType,
    R: for<'d> DynamicDeserialize<'d>,
{
    // The connection has an end for answers; this one is for a bus that takes no more words.
    let reply = timeout(ANSWER, on.call_method(Some(name), path, Some(interface), method, body)).await;
    let reply = reply.map_err(|_| Untold::Failed)?.map_err(|error| reason(&error))?;
    reply.body().deserialize().map_err(|_| Untold::Failed)
}

/// Programs and objects that are not there are no failure.
fn reason(error: &zbus::Error) -> Untold {
    let zbus::Error::MethodError(name, ..) = error else { return Untold::Failed };
    let Some(name) = name.as_str().strip_prefix("org.freedesktop.DBus.Error.") else { return Untold::Failed };
    let missing = ["ServiceUnknown", "NameHasNoOwner", "UnknownObject", "UnknownInterface", "UnknownMethod"];
    if missing.contains(&name) || name == "UnknownProperty" || name.starts_with("Spawn.") {
        Untold::Unsupported
    } else {
        Untold::Failed
    }
}

/// One of the two buses.
pub(super) struct Bus {
    address: Option<String>,
    open: Mutex<Option<Connection>>,
}

impl Bus {
    pub(super) fn new(address: Option<String>) -> Self {
        Self { address, open: Mutex::new(None) }
    }

    /// The connection, a new one where the old one is dead.
    pub(super) async fn connection(&self) -> Result<Connection, Untold> {
        let Some(address) = self.address.as_deref() else { return Err(Untold::Unsupported) };
        let mut open = self.open.lock().await;
        if let Some(connection) = open.as_ref()
            && BUS.call::<_, String>(connection, "GetId", &()).await.is_ok()
        {
            return Ok(connection.clone());
        }
        *open = None;
        let builder = zbus::connection::Builder::address(address).map_err(|_| Untold::Unsupported)?;
        let built = timeout(ANSWER, builder.method_timeout(ANSWER).build()).await;
        let connection = built.map_err(|_| Untold::Failed)?.map_err(|error| match error {
            zbus::Error::InputOutput(error) if error.kind() == std::io::ErrorKind::NotFound => Untold::Unsupported,
            _ => Untold::Failed,
        })?;
        *open = Some(connection.clone());
        Ok(connection)
    }

    /// Hears every signal of these programs from below these paths, and when they come and go.
    pub(super) async fn listen(&self, to: &[Object]) -> Result<(Connection, Ear), Untold> {
        let connection = self.connection().await?;
        let mut streams = Vec::new();
        for object in to {
            for rule in rules(object).map_err(|_| Untold::Failed)? {
                let stream = timeout(ANSWER, MessageStream::for_match_rule(rule, &connection, Some(QUEUE))).await;
                streams.push(stream.map_err(|_| Untold::Failed)?.map_err(|error| reason(&error))?);
            }
        }
        Ok((connection, Ear(streams)))
    }
}

fn rules(object: &Object) -> zbus::Result<[MatchRule<'static>; 2]> {
    let said = MatchRule::builder().msg_type(Type::Signal).sender(object.name)?.path_namespace(object.path)?.build();
    let owner = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(BUS.name)?
        .interface(BUS.interface)?
        .member("NameOwnerChanged")?
        .arg(0, object.name)?
        .build();
    Ok([said, owner])
}

/// What is heard on a bus.
pub(super) struct Ear(Vec<MessageStream>);

impl Ear {
    /// The next thing said. An error means that the bus is gone.
    pub(super) async fn next(&mut self) -> Result<Message, Untold> {
        poll_fn(|context| {
            for stream in &mut self.0 {
                match Pin::new(stream).poll_next(context) {
                    Poll::Ready(Some(Ok(message))) => return Poll::Ready(Ok(message)),
                    Poll::Ready(_) => return Poll::Ready(Err(Untold::Failed)),
                    Poll::Pending => {}
                }
            }
            Poll::Pending
        })
        .await
    }

    /// As [`Self::next`], and whatever else is said right after it.
    async fn burst(&mut self) -> Result<(), Untold> {
        self.next().await?;
        sleep(BURST).await;
        while let Ok(said) = timeout(Duration::ZERO, self.next()).await {
            said?;
        }
        Ok(())
    }
}

/// Whether this message says that a program came or went.
pub(super) fn is_owner_change(message: &Message) -> bool {
    message.header().member().is_some_and(|member| member.as_str() == "NameOwnerChanged")
}

/// When to read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// When something is said.
    Event,
    /// Then, or after this time.
    Within(Duration),
    /// Then, or when patience ends: it failed.
    Patiently,
}

/// Reads at once and whenever one of these programs says something, comes or goes; without end.
/// Where there is no bus, `read` is told so, and the bus is tried again.
pub(super) async fn follow(bus: &Bus, to: &[Object], mut read: impl AsyncFnMut(Result<&Connection, Untold>) -> Next) {
    let mut lines = Patience::new();
    loop {
        lines.begin();
        let why = match bus.listen(to).await {
            Ok((connection, mut ear)) => {
                let mut reads = Patience::new();
                loop {
                    let next = read(Ok(&connection)).await;
                    let heard = match next {
                        Next::Event => ear.burst().await,
                        Next::Within(time) => timeout(time, ear.burst()).await.unwrap_or(Ok(())),
                        Next::Patiently => timeout(reads.after_failure(), ear.burst()).await.unwrap_or(Ok(())),
                    };
                    if next != Next::Patiently {
                        reads = Patience::new();
                    }
                    if let Err(why) = heard {
                        break why;
                    }
                }
            }
            Err(why) => why,
        };
        let mut wait = lines.after_failure();
        if let Next::Within(time) = read(Err(why)).await {
            wait = wait.min(time);
        }
        sleep(wait).await;
    }
}
