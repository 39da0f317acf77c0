//! Writing to somebody who may not read: a write that makes no progress ends the connection. Until
//! then the connection keeps its place, however crowded it is: an answer is not cut in the middle.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::seats::{CallUnderWay, Seat};

/// How long the other end may leave everything unread.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream whose writes fail after [`PATIENCE`] without progress.
#[derive(Debug)]
pub(super) struct Stalling<S> {
    stream: S,
    seat: Seat,
    stalled: Option<Stall>,
}

/// A write that waits.
#[derive(Debug)]
struct Stall {
    end: Pin<Box<Sleep>>,
    _under_way: CallUnderWay,
}

impl<S> Stalling<S> {
    pub(super) const fn new(stream: S, seat: Seat) -> Self {
        Self { stream, seat, stalled: None }
    }

    fn in_time(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let seat = &self.seat;
        let begin = || Stall { end: Box::pin(sleep(PATIENCE)), _under_way: seat.call() };
        ready!(self.stalled.get_or_insert_with(begin).end.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other end does not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::{Instant, timeout};

    use super::super::seats::Seats;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_given_up() {
        let (near, _far) = duplex(16);
        let mut near = Stalling::new(near, Seats::new(1).take().await);
        let before = Instant::now();
        let writing = timeout(10 * PATIENCE, near.write_all(&[0; 64]));
        let error = writing.await.expect("it does not wait for ever").map_err(|error| error.kind());
        assert_eq!((error, before.elapsed()), (Err(io::ErrorKind::TimedOut), PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_waited_for() {
        let (near, mut far) = duplex(16);
        let mut near = Stalling::new(near, Seats::new(1).take().await);
        let reading = async {
            for _ in 0..8 {
                sleep(PATIENCE / 2).await;
                far.read_exact(&mut [0; 8]).await.expect("written");
            }
        };
        let (written, ()) = tokio::join!(near.write_all(&[0; 64]), reading);
        assert!(written.is_ok());
    }
    #[tokio::test(start_paused = true)]
    async fn what_waits_to_be_read_keeps_the_place() {
        let (near, mut far) = duplex(16);
        let seats = Seats::new(1);
        let mut near = Stalling::new(near, seats.take().await);
        let writing = tokio::spawn(async move {
            near.write_all(&[0; 32]).await.expect("read in time");
            near
        });
        assert!(timeout(PATIENCE / 2, seats.take()).await.is_err(), "an answer is on its way");
        far.read_exact(&mut [0; 32]).await.expect("written");
        let _near = writing.await.expect("no panic");
        timeout(PATIENCE / 2, seats.take()).await.expect("nothing is on its way any more");
    }
}
