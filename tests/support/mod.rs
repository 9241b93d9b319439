//! A whole service in this process, and a client that can say anything at all.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test uses its part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ledger;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tapecast::app::Service;
use tapecast::config::Config;

pub use ledger::Ledger;

/// No event that a test waits for takes longer, however busy the machine is.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A service on a free port of its own, stopped when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub tls_address: Option<SocketAddr>,
    reload: tokio::sync::mpsc::UnboundedSender<mpsc::Sender<()>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() };
        change(&mut config);
        let (tell, told) = mpsc::channel();
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let (reload, mut reloads) = tokio::sync::mpsc::unbounded_channel::<mpsc::Sender<()>>();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let service = Service::start(&config).expect("a free port can be listened on");
                tell.send((service.address(), service.tls_address()))
                    .expect("the test waits for the address");
                loop {
                    tokio::select! {
                        _ = &mut stopped => break,
                        Some(done) = reloads.recv() => {
                            service.reload();
                            let _ = done.send(());
                        }
                    }
                }
                service.stop().await;
            });
        });
        let (address, tls_address) = told.recv_timeout(DEADLINE).expect("the service starts");
        Self { address, tls_address, reload, stop: Some(stop), thread: Some(thread) }
    }

    /// Has the service read again what it reads on SIGHUP.
    pub fn reload(&self) {
        let (done, is_done) = mpsc::channel();
        self.reload.send(done).expect("the service runs");
        is_done.recv_timeout(DEADLINE).expect("the service reloads");
    }

    /// Asks the service to stop, without waiting for it.
    pub fn ask_to_stop(&mut self) {
        self.stop.take();
    }

    /// The sum over the workers of a metric.
    pub fn metric(&self, name: &str) -> f64 {
        metric(self.address, name)
    }

    /// How many sessions ended for this reason.
    pub fn ended(&self, reason: &str) -> f64 {
        let reason = format!(",reason=\"{reason}\"");
        sum(self.address, |line| line.starts_with("tapecast_sessions_closed_total") && line.contains(&reason))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The sum over the workers of a metric of the server there.
pub fn metric(address: SocketAddr, name: &str) -> f64 {
    sum(address, |line| line.starts_with(name) && !line.starts_with('#'))
}

fn sum(address: SocketAddr, is_wanted: impl Fn(&str) -> bool) -> f64 {
    let text = get(address, "/metrics").1;
    let wanted = text.lines().filter(|line| is_wanted(line));
    wanted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Asks again until `found` has something to say.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < DEADLINE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A plain GET: status and body.
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let Answer { status, body, .. } = get_with(address, path, "");
    (status, body)
}

/// What a plain request got.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, wanted: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    }
}

/// A GET with these header lines as well, each ended by CR LF.
pub fn get_with(address: SocketAddr, path: &str, headers: &str) -> Answer {
    request(address, "GET", path, headers)
}

/// A request without a body, with these header lines as well, each ended by CR LF.
pub fn request(address: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer has a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A message or control frame from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub opcode: u8,
    /// Inflated, where it came compressed.
    pub payload: Vec<u8>,
    /// The payload as it came, where that was compressed.
    pub packed: Option<Vec<u8>>,
}

impl Frame {
    pub fn json(&self) -> Vec<Value> {
        serde_json::from_slice(&self.payload).expect("each text frame is a JSON array")
    }

    pub fn close_code(&self) -> Option<u16> {
        assert_eq!(self.opcode, 8, "not a Close: {self:?}");
        Some(u16::from_be_bytes(*self.payload.first_chunk()?))
    }
}

/// The far side of a WebSocket, without manners of its own.
pub struct Client {
    pub stream: TcpStream,
    received: Vec<u8>,
    pub handshake: String,
}

impl Client {
    /// Upgrades at this path, with the tutorial's key.
    pub fn connect(address: SocketAddr, path: &str) -> Self {
        Self::connect_with(address, path, "")
    }

    /// Upgrades with these header lines as well, each ended by CR LF.
    pub fn connect_with(address: SocketAddr, path: &str, headers: &str) -> Self {
        Self::over(TcpStream::connect(address).unwrap(), path, headers)
    }

    /// Upgrades over a connection of one's own.
    pub fn over(mut stream: TcpStream, path: &str, headers: &str) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: xUmMgSW9Hpt1PGw/X1UCHg==\r\n{headers}\r\n"
        )
        .unwrap();
        let mut client = Self { stream, received: Vec::new(), handshake: String::new() };
        let head = loop {
            if let Some(end) = client.received.windows(4).position(|w| w == b"\r\n\r\n") {
                break client.received.drain(..end + 4).collect::<Vec<_>>();
            }
            assert!(client.fill(), "the connection ended within the handshake");
        };
        client.handshake = String::from_utf8(head).unwrap();
        client
    }

    /// Upgrades to a session and takes the greeting.
    pub fn session(address: SocketAddr) -> Self {
        let mut client = Self::connect(address, "/v2/iex");
        assert_eq!(client.next().unwrap().payload, br#"[{"T":"success","msg":"connected"}]"#);
        client
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends a frame with this first byte, masked with zeros.
    pub fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..=125 => frame.push(0x80 | len as u8),
            len @ 126..=0xFFFF => {
                frame.push(0x80 | 126);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(0x80 | 127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.send_raw(&frame);
    }

    /// Sends a whole message with this first byte in compressed form.
    pub fn send_packed(&mut self, first: u8, message: &[u8]) {
        self.send(first, &deflate(message));
    }

    pub fn say(&mut self, text: &str) {
        self.send(0x81, text.as_bytes());
    }

    /// Says something and returns the control object that answers it, past any data.
    pub fn ask(&mut self, text: &str) -> Value {
        self.say(text);
        loop {
            let objects = self.next().expect("an answer").json();
            if let [object] = objects.as_slice()
                && ["success", "subscription", "error"].contains(&object["T"].as_str().unwrap())
            {
                return object.clone();
            }
        }
    }

    /// The next frame; `None` when the server has ended the connection.
    pub fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) = parse(&self.received) {
                self.received.drain(..len);
                return Some(frame);
            }
            if !self.fill() {
                return None;
            }
        }
    }

    /// The next objects of data.
    pub fn next_data(&mut self) -> Vec<Value> {
        loop {
            let frame = self.next().expect("the session goes on");
            if frame.opcode == 1 {
                return frame.json();
            }
        }
    }

    /// The Close that comes in the end, and whether the connection ended after it.
    pub fn last_words(&mut self) -> (Option<u16>, bool) {
        let close = loop {
            let frame = self.next().expect("a Close before the end");
            if frame.opcode == 8 {
                break frame;
            }
        };
        (close.close_code(), self.next().is_none())
    }

    fn fill(&mut self) -> bool {
        let mut chunk = [0; 16 << 10];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(n) => {
                self.received.extend_from_slice(&chunk[..n]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came: {error}"),
        }
    }
}

/// The first frame in these bytes, and its length with its header.
pub fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (head, start, len) = match *bytes {
        [head, 126, a, b, ..] => (head, 4, usize::from(u16::from_be_bytes([a, b]))),
        [head, 127, a, b, c, d, e, f, g, h, ..] => {
            (head, 10, u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize)
        }
        [head, len @ 0..=125, ..] => (head, 2, usize::from(len)),
        _ => return None,
    };
    assert_eq!(head & 0xB0, 0x80, "the server sends whole messages, compressed or not");
    let payload = bytes.get(start..start + len)?.to_vec();
    let opcode = head & 0x0F;
    let frame = match head & 0x40 {
        0 => Frame { opcode, payload, packed: None },
        _ => Frame { opcode, payload: inflate(&payload), packed: Some(payload) },
    };
    Some((frame, start + len))
}

/// The compressed form of a message by RFC 7692, section 7.2.1.
pub fn deflate(message: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(message.len() + 64);
    let mut deflater = flate2::Compress::new(flate2::Compression::best(), false);
    deflater.compress_vec(message, &mut packed, flate2::FlushCompress::Sync).unwrap();
    packed.truncate(packed.len() - 4);
    packed
}

/// The message in a compressed form, by section 7.2.2.
fn inflate(packed: &[u8]) -> Vec<u8> {
    let whole = [packed, &[0, 0, 0xFF, 0xFF]].concat();
    let mut message = Vec::with_capacity(32 << 20);
    let mut inflater = flate2::Decompress::new(false);
    inflater.decompress_vec(&whole, &mut message, flate2::FlushDecompress::Sync).unwrap();
    assert_eq!(inflater.total_in(), whole.len() as u64, "the server's message is one stream");
    message
}
