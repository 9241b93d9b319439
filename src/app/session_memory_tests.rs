//! The memory that a session takes: every byte that a worker allocates for it, counted.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream as ClientStream};
use std::thread;
use std::time::Instant;

use actix::{Actor, Context, Handler};
use actix_web::rt::{System, net};
use allocation_counter::measure;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::*;
use crate::auth::SharedReachability;
use crate::clock::Clock;
use crate::feed::{Moderate, Publish};
use crate::http::{Feeds, ServedFeed, TopicPublisher, TopicService, WorkerHubs};
use crate::hub::{Hub, LivenessTimeouts, MaxDelay, WorkerShare};
use crate::limits::SessionCapacity;
use crate::metrics::{ClockMetrics, HttpMetrics, WorkerMetrics};
use crate::model::Feed;
use crate::topics::{Namespace, Namespaces, Presence, PublicationNumber, PublishRefusal};
use crate::wire::fixtures;

/// What a browser calls itself.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                          Safari/537.36";

const DEADLINE: Duration = Duration::from_secs(60);

/// The sessions that are opened before bytes are counted: tables have grown, and pools are filled.
const WARM_UP: usize = 100;

const COUNTED: usize = 400;

const SYMBOLS: usize = 500;

/// What the clients of a run do.
#[derive(Clone, Copy, Default)]
struct Load {
    /// Further lines of the upgrade request.
    headers: &'static str,
    /// The symbols whose trades each subscribes to: no two clients to the same.
    symbols: usize,
}

/// A feed that publishes nothing.
struct NoPublisher;

impl Actor for NoPublisher {
    type Context = Context<Self>;
}

impl Handler<Publish> for NoPublisher {
    type Result = Result<PublicationNumber, PublishRefusal>;

    fn handle(&mut self, _: Publish, _: &mut Self::Context) -> Self::Result {
        Err(PublishRefusal::Unanswered)
    }
}

impl Handler<Moderate> for NoPublisher {
    type Result = Result<(), PublishRefusal>;

    fn handle(&mut self, _: Moderate, _: &mut Self::Context) -> Self::Result {
        Err(PublishRefusal::Unanswered)
    }
}

fn symbol(number: usize) -> String {
    format!("S{}", number % SYMBOLS)
}

/// Opens the session of this number, and waits for the answers of the server.
fn open_client(address: SocketAddr, load: Load, number: usize) -> ClientStream {
    let mut client = ClientStream::connect(address).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = format!(
        "GET /v2/iex HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         User-Agent: {USER_AGENT}\r\n{}\r\n",
        load.headers
    );
    client.write_all(head.as_bytes()).unwrap();
    await_text(&mut client, "]");
    if load.symbols > 0 {
        let names: Vec<_> = (0..load.symbols).map(|place| symbol(number + 7 * place)).collect();
        let command = serde_json::json!({"action": "subscribe", "trades": names}).to_string();
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend((command.len() as u16).to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(command.as_bytes());
        client.write_all(&frame).unwrap();
        await_text(&mut client, "subscription");
    }
    client
}

fn await_text(client: &mut ClientStream, text: &str) {
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&received).contains(text) {
        let read = client.read(&mut buffer).unwrap();
        assert!(read > 0, "the server closed the connection: {}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&buffer[..read]);
    }
}

/// The service of the connections of a worker, whose market is silent.
async fn worker() -> impl Service<net::TcpStream, Response = (), Error = DispatchError, Future: 'static> {
    let now = Instant::now();
    let names: Vec<_> = (0..SYMBOLS).map(symbol).collect();
    let universe = fixtures::universe_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let clock = Clock::system(ClockMetrics::default());
    let share = WorkerShare::new(WorkerMetrics::default(), clock, 1, now);
    let hub = Hub::new(
        Arc::new(universe),
        LivenessTimeouts::default(),
        MaxDelay::Fixed(Duration::ZERO),
        share,
        now,
    );
    let feed = NoPublisher.start();
    let topics = TopicService {
        namespaces: Arc::new(Namespaces::new(vec![Namespace::weather()])),
        presence: Presence::default(),
        publisher: TopicPublisher::of_feed(feed.clone().recipient(), feed.recipient()),
    };
    let feeds = Feeds::new(vec![ServedFeed { topics: Some(topics), ..ServedFeed::for_tests() }]);
    let limits = CapacityLimits { sessions: usize::MAX, per_address: usize::MAX };
    let state = AppState { feeds, capacity: SessionCapacity::new(limits), ..AppState::for_tests() };
    let limit = ConnectionLimit::new(
        &HttpLimits::default(),
        SharedReachability::default(),
        vec!["127.0.0.0/8".parse().unwrap()],
        HttpMetrics::default(),
    );
    let services = ConnectionServices {
        state: web::Data::new(state),
        workers: WorkerPool::for_tests(WorkerHubs::new(vec![(Feed::IEX, Rc::new(hub))])),
        limit,
        stopping: Server::build().graceful_shutdown_signal(),
        surface: Surface::Whole,
        transport: StrictTransport::Optional,
    };
    services.http().new_service(()).await.unwrap()
}

/// The bytes that the thread of a worker holds for each session of such clients.
fn bytes_per_session(load: Load) -> i64 {
    // A thread of its own: it has the hubs of one worker.
    let worker = thread::spawn(move || {
        let system = System::new();
        let (service, listener) =
            system.block_on(async { (worker().await, net::TcpListener::bind("127.0.0.1:0").await.unwrap()) });
        let address = listener.local_addr().unwrap();
        let mut numbers = 0;
        let mut open = |sessions: usize| {
            let (opened, clients) = oneshot::channel();
            let first = numbers;
            numbers += sessions;
            let open_all = move || {
                let all = first..first + sessions;
                opened.send(all.map(|number| open_client(address, load, number)).collect::<VecDeque<_>>())
            };
            let client_thread = thread::spawn(move || open_all().is_ok());
            let mut held = None;
            let counted = measure(|| {
                held = system.block_on(async {
                    let serve = async {
                        loop {
                            let (socket, _) = listener.accept().await.unwrap();
                            let served = service.call(socket);
                            actix_web::rt::spawn(async move { drop(served.await) });
                        }
                    };
                    tokio::select! {
                        never = serve => never,
                        clients = timeout(DEADLINE, clients) => clients.unwrap().ok(),
                    }
                });
            });
            assert!(client_thread.join().unwrap());
            (counted, held.expect("all clients have opened a session"))
        };
        let _earlier = open(WARM_UP);
        let (counted, _clients) = open(COUNTED);
        counted.bytes_current / COUNTED as i64
    });
    worker.join().unwrap()
}

#[test]
fn an_idle_session_takes_at_most_4_kib() {
    let idle = bytes_per_session(Load::default());
    let deflated = bytes_per_session(Load {
        headers: "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        ..Load::default()
    });

    // The parts of actix alone take a thousand bytes: less would mean that no session was counted.
    assert!((1_000..=4_096).contains(&idle), "{idle} bytes");
    assert!(deflated <= 4_096, "{deflated} bytes with compression");
}

#[test]
fn a_session_with_20_symbols_takes_at_most_5_kib() {
    let idle = bytes_per_session(Load::default());
    let subscribed = bytes_per_session(Load { symbols: 20, ..Load::default() });

    assert!((idle + 1..=5 << 10).contains(&subscribed), "{subscribed} bytes, {idle} of them idle");
}
