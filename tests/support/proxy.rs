//! A proxy that makes a network of the loopback: delay, jitter, partial writes, stalls, cuts.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

/// Passes TCP connections on to a server, until it cuts them. It accepts as long as the process runs.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    held_until: Arc<Mutex<Option<Instant>>>,
}

/// What the network between the proxy and its clients is like, in each direction. Bytes keep their order, as TCP has it.
#[derive(Clone, Copy, Debug)]
pub struct LinkQuality {
    /// The seed of delays and pieces.
    pub seed: u64,
    /// The shortest time from one end to the other.
    pub delay: Duration,
    /// The most that is added to it.
    pub jitter: Duration,
    /// The most bytes that arrive together; each piece is a random part of it.
    pub piece: usize,
}

/// The most bytes that the proxy takes at once.
const CHUNK_BYTES: usize = 4 << 10;

/// The most chunks that are on their way in one direction. With the kernel's buffers that is some 60 KB, beyond which
/// the server sees that nothing is taken.
const CHUNKS: usize = 8;

impl Proxy {
    /// A proxy of this server, which need not run yet.
    pub fn start(target: SocketAddr) -> Self {
        Self::listen(target, None, |from, mut to, _, _| {
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut { from }, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        })
    }

    /// A proxy behind a network of this quality.
    pub fn with_link(target: SocketAddr, quality: LinkQuality) -> Self {
        // Small, so that the server soon sees what is not taken.
        Self::listen(target, Some(8 << 10), move |from, to, number, held_until| {
            let random = Random(quality.seed << 32 | number);
            let (sender, receiver) = sync_channel(CHUNKS);
            let mut of_delays = Random(!random.0);
            std::thread::spawn(move || send(from, &sender, quality, &mut of_delays));
            std::thread::spawn(move || receive(&receiver, to, quality, random, &held_until));
        })
    }

    /// Accepts connections, and has each direction of each passed on. Directions are numbered from 0.
    fn listen(
        target: SocketAddr,
        receive_buffer: Option<usize>,
        pass: impl Fn(TcpStream, TcpStream, u64, Arc<Mutex<Option<Instant>>>) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, held_until) = (Arc::new(Mutex::new(Vec::new())), Arc::default());
        let (open, held) = (Arc::clone(&connections), Arc::clone(&held_until));
        std::thread::spawn(move || {
            let mut number = 0;
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = connect(target, receive_buffer) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    pass(from, to, number, Arc::clone(&held));
                    number += 1;
                }
                open.lock().unwrap().extend([client, server]);
            }
        });
        Self { address, connections, held_until }
    }

    /// Ends all connections, and loses what is on its way.
    pub fn cut(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Holds everything back for this time from now on, which may be cut short by [`release`](Self::release). Only a
    /// proxy with a link does.
    pub fn hold(&self, time: Duration) {
        *self.held_until.lock().unwrap() = Some(Instant::now() + time);
    }

    /// Lets everything through again.
    pub fn release(&self) {
        *self.held_until.lock().unwrap() = None;
    }
}

/// Connects with a receive buffer of this size, or that of the system.
fn connect(target: SocketAddr, receive_buffer: Option<usize>) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, None)?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.connect(&target.into())?;
    Ok(socket.into())
}

/// Puts what comes on its way, with the time at which it arrives.
fn send(
    mut from: TcpStream,
    link: &SyncSender<(Instant, Vec<u8>)>,
    quality: LinkQuality,
    random: &mut Random,
) {
    let mut due = Instant::now();
    let mut chunk = [0; CHUNK_BYTES];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        let delay = quality.delay + random.up_to(quality.jitter);
        due = due.max(Instant::now() + delay);
        if link.send((due, chunk[..length].to_vec())).is_err() {
            break;
        }
    }
}

/// Hands over what arrives, in pieces.
fn receive(
    link: &Receiver<(Instant, Vec<u8>)>,
    mut to: TcpStream,
    quality: LinkQuality,
    mut random: Random,
    held_until: &Mutex<Option<Instant>>,
) {
    /// How soon it is seen that what was held is let through.
    const STEP: Duration = Duration::from_millis(5);
    let _ = to.set_nodelay(true);
    for (due, bytes) in link {
        while let Some(left) = time_until(due, *held_until.lock().unwrap()) {
            std::thread::sleep(left.min(STEP));
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let length = 1 + random.below(quality.piece as u64) as usize;
            let (piece, behind) = rest.split_at(length.min(rest.len()));
            if to.write_all(piece).is_err() {
                return;
            }
            rest = behind;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// The time that is left until both of these are over.
fn time_until(due: Instant, held_until: Option<Instant>) -> Option<Duration> {
    let until = held_until.map_or(due, |held| held.max(due));
    until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

/// Numbers by SplitMix64 from a seed.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % end
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_nanos(self.below(1 + most.as_nanos() as u64))
    }
}
