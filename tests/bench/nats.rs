//! The rival's side: request and reply through NATS. The requester signs, the replier verifies,
//! signs its answer, the requester verifies that: as our assignment and receipt. A client of its
//! own, blocking and without a delay on the wire, so that the rival is as fast as it can be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use p2p_types::{Ed25519, Scheme, SecretKey};

use crate::WARM_UP;

const SUBJECT: &str = "noop";
const INBOX: &str = "inbox";
const DOMAIN: &[u8] = b"p2p-agent/bench/1";
/// Key and signature in front of every body.
const HEADER: usize = 32 + 64;
/// About what an assignment of one short text has.
const BODY: [u8; 192] = [7; 192];
const LARGEST: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers requests until the connection ends.
pub(crate) fn reply(address: &str) -> Result<()> {
    let key = Ed25519::new(&SecretKey::new([2; 32]));
    let mut connection = Connection::open(address)?;
    connection.subscribe(SUBJECT)?;
    println!("ready");
    loop {
        let (payload, inbox) = connection.next()?;
        let body = open(&key, &payload)?;
        let inbox = inbox.context("a request says where the reply goes")?;
        connection.publish(&inbox, None, &seal(&key, body))?;
    }
}

/// Microseconds of each of `messages` requests, signing and verifying included.
pub(crate) fn request(address: &str, messages: usize) -> Result<Vec<f64>> {
    let key = Ed25519::new(&SecretKey::new([1; 32]));
    let mut connection = Connection::open(address)?;
    connection.stream.get_ref().set_read_timeout(Some(PATIENCE))?;
    connection.subscribe(INBOX)?;
    let mut times = Vec::with_capacity(messages);
    for number in 0..WARM_UP + messages {
        let start = Instant::now();
        connection.publish(SUBJECT, Some(INBOX), &seal(&key, &BODY))?;
        let (payload, _) = connection.next()?;
        ensure!(open(&key, &payload)? == BODY, "the reply is another");
        if number >= WARM_UP {
            times.push(start.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    Ok(times)
}

/// `key || signature || body`.
fn seal(key: &Ed25519, body: &[u8]) -> Vec<u8> {
    let signature = key.sign(&[DOMAIN, body].concat());
    [key.public_key().as_slice(), &signature, body].concat()
}

fn open<'a>(key: &Ed25519, payload: &'a [u8]) -> Result<&'a [u8]> {
    ensure!(payload.len() >= HEADER, "too short to be signed");
    let (header, body) = payload.split_at(HEADER);
    let (signer, signature) = header.split_at(32);
    let fits = key.verify(signer.try_into()?, &[DOMAIN, body].concat(), signature.try_into()?);
    ensure!(fits, "the signature does not fit");
    Ok(body)
}

/// A connection that speaks the text protocol.
struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("nobody listens at {address}"))?;
        stream.set_nodelay(true)?;
        let mut connection = Self { stream: BufReader::new(stream) };
        ensure!(connection.line()?.starts_with("INFO "), "{address} does not speak as NATS does");
        connection.send(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n")?;
        while connection.line()? != "PONG" {}
        Ok(connection)
    }

    fn subscribe(&mut self, subject: &str) -> Result<()> {
        self.send(format!("SUB {subject} 1\r\nPING\r\n").as_bytes())?;
        while self.line()? != "PONG" {}
        Ok(())
    }

    fn publish(&mut self, subject: &str, inbox: Option<&str>, payload: &[u8]) -> Result<()> {
        let inbox = inbox.map(|inbox| format!("{inbox} ")).unwrap_or_default();
        let head = format!("PUB {subject} {inbox}{}\r\n", payload.len());
        // In one piece: two writes would be two packets.
        self.send(&[head.as_bytes(), payload, b"\r\n"].concat())
    }

    /// The next message, and where its reply goes.
    fn next(&mut self) -> Result<(Vec<u8>, Option<String>)> {
        loop {
            let line = self.line()?;
            let words: Vec<&str> = line.split(' ').collect();
            let (inbox, length) = match words.as_slice() {
                ["MSG", _, _, length] => (None, length),
                ["MSG", _, _, inbox, length] => (Some((*inbox).to_owned()), length),
                ["PING"] => {
                    self.send(b"PONG\r\n")?;
                    continue;
                }
                ["-ERR", ..] => bail!("the server says {line}"),
                _ => continue,
            };
            let length: usize = length.parse().context("a length")?;
            ensure!(length <= LARGEST, "a message of {length} bytes");
            let mut payload = vec![0; length + 2];
            self.stream.read_exact(&mut payload)?;
            payload.truncate(length);
            return Ok((payload, inbox));
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!((&mut self.stream).take(LARGEST as u64).read_line(&mut line)? > 0, "the server has gone");
        Ok(line.trim_end().to_owned())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.get_mut().write_all(bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_on_the_way_is_refused() {
        let key = Ed25519::new(&SecretKey::new([1; 32]));
        let mut sealed = seal(&key, b"body");
        assert_eq!(open(&key, &sealed).expect("signed"), b"body");
        *sealed.last_mut().expect("not empty") ^= 1;
        assert!(open(&key, &sealed).is_err());
        assert!(open(&key, &sealed[..HEADER - 1]).is_err());
    }
}
