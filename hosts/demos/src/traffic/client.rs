//! A client: it sends a message, waits until it is back, and rests until the next is due.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use interloop::net::TcpStream;

use super::load::Inner;

pub(super) async fn run(traffic: Rc<Inner>) {
    if send_and_receive(&traffic).await.is_err() {
        traffic.count(|counts| counts.errors += 1);
    }
}

async fn send_and_receive(traffic: &Rc<Inner>) -> io::Result<()> {
    let mut stream = TcpStream::connect(&traffic.handle, traffic.address).await?;
    stream.get_ref().set_nodelay(true)?;
    let mut bytes = Vec::new();
    while !traffic.draining.get() {
        let began = Instant::now();
        bytes.resize(traffic.load.get().size, b'.');
        let message = OnItsWay::send(traffic);
        stream.write_all(&bytes).await?;
        stream.read_exact(&mut bytes).await?;
        message.arrived(bytes.len(), began.elapsed());
        match traffic.load.get().rate {
            0 => future::yield_now().await,
            rate => {
                let period = Duration::from_secs(1) / rate;
                traffic.handle.sleep(period.saturating_sub(began.elapsed())).await;
            }
        }
    }
    Ok(())
}

/// A message that was sent and has not come back. Dropped before, with its client, it counts as cut.
struct OnItsWay(Option<Rc<Inner>>);

impl OnItsWay {
    fn send(traffic: &Rc<Inner>) -> OnItsWay {
        traffic.count(|counts| counts.sent += 1);
        OnItsWay(Some(Rc::clone(traffic)))
    }

    fn arrived(mut self, bytes: usize, time: Duration) {
        if let Some(traffic) = self.0.take() {
            traffic.add_round_trip(time);
            traffic.count(|counts| {
                counts.received += 1;
                counts.bytes += bytes as u64;
            });
        }
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        if let Some(traffic) = self.0.take() {
            traffic.count(|counts| counts.cut += 1);
        }
    }
}
