//! Connections that can be cut, for the faults that are not answers.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Listens on a port.
#[derive(Debug)]
pub struct Listening(TcpListener);

/// A connection, as the handler of a request sees it.
#[derive(Clone, Debug)]
pub struct Line(Arc<Cut>);

#[derive(Debug)]
struct Cut {
    /// How many bytes may still be written.
    left: AtomicUsize,
    /// Whether the other side is to see a reset, not an end.
    resets: AtomicBool,
}

/// The connection itself.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    line: Line,
}

impl Line {
    /// Resets the connection instead of answering.
    pub fn reset(&self) {
        self.0.resets.store(true, Ordering::SeqCst);
        self.0.left.store(0, Ordering::SeqCst);
    }

    /// Closes the connection after so many bytes.
    pub fn close_after(&self, bytes: usize) {
        self.0.left.store(bytes, Ordering::SeqCst);
    }
}

impl Listening {
    /// Listens on a port that is bound; within a runtime.
    pub fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Self)
    }
}

impl Listener for Listening {
    type Io = Connection;
    type Addr = Line;

    async fn accept(&mut self) -> (Connection, Line) {
        loop {
            match self.0.accept().await {
                Ok((stream, _)) => {
                    // Small answers must not wait for each other; without this they are merely slower.
                    let _ = stream.set_nodelay(true);
                    let line =
                        Line(Arc::new(Cut { left: AtomicUsize::new(usize::MAX), resets: AtomicBool::new(false) }));
                    return (Connection { stream, line: line.clone() }, line);
                }
                // Too many open files, or a client that is gone already: both pass.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Line> {
        Ok(Line(Arc::new(Cut { left: AtomicUsize::new(usize::MAX), resets: AtomicBool::new(false) })))
    }
}

impl Connected<IncomingStream<'_, Listening>> for Line {
    fn connect_info(stream: IncomingStream<'_, Listening>) -> Self {
        stream.remote_addr().clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.line.0.left.load(Ordering::SeqCst);
        if left == 0 {
            if self.line.0.resets.load(Ordering::SeqCst) {
                // A close without lingering is a reset.
                self.stream.set_zero_linger()?;
            }
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let bytes = bytes.get(..left.min(bytes.len())).unwrap_or_default();
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let (Poll::Ready(Ok(count)), true) = (&written, left != usize::MAX) {
            self.line.0.left.store(left.saturating_sub(*count), Ordering::SeqCst);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
