//! HTTP on loopback.

mod caller;
mod dispatch;
mod listener;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use axum::response::IntoResponse;
use tokio::sync::oneshot;

pub use self::dispatch::{Outcome, Then};
use self::listener::{Line, Listening};
use super::control;
use super::options::Options;
use super::state::World;
use super::wire::{Answer, Request};

pub use self::caller::{OPERATOR_KEY, OPERATOR_SECRET};

/// The world, shared by all connections.
pub type Shared = Arc<Mutex<World>>;

/// Looks at the world, or changes it; one at a time.
pub fn with<T>(world: &Shared, look: impl FnOnce(&mut World) -> T) -> T {
    look(&mut world.lock().unwrap_or_else(PoisonError::into_inner))
}

/// An emulator that runs on threads of this process, until it is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    world: Shared,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts an emulator.
    ///
    /// # Errors
    /// When the snapshot cannot be read, or the port is taken.
    pub fn start(options: &Options) -> Result<Self, String> {
        let world = options.world()?;
        let port = options.port;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| format!("no threads: {error}"))?;
        // Bound without the runtime: who starts an emulator may be within another one.
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| format!("port {port}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let world: Shared = Arc::new(Mutex::new(world));
        let (stop, stopped) = oneshot::channel::<()>();
        let shared = Arc::clone(&world);
        let thread = std::thread::spawn(move || {
            let stopped = async move {
                // The other end that is dropped says the same.
                let _ = stopped.await;
            };
            if let Err(error) = runtime.block_on(serve(listener, shared, stopped)) {
                eprintln!("error: {error}");
            }
            // Idle connections of clients must not hold up the end.
            runtime.shutdown_timeout(Duration::from_millis(50));
        });
        Ok(Self { address, world, stop: Some(stop), thread: Some(thread) })
    }

    /// The address, as `AWS_ENDPOINT_URL` wants it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Calls the control endpoint without HTTP: method, path below `/_emulator/`, and JSON.
    ///
    /// # Errors
    /// What the endpoint would answer with status 400.
    pub fn control(&self, method: &str, path: &str, body: &serde_json::Value) -> Result<serde_json::Value, String> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        with(&self.world, |world| control::answer(world, method, path, query, body))
    }

    /// Waits until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // The thread serves; its panic was printed.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens if it ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, world: Shared, stopped: impl Future<Output = ()>) -> io::Result<()> {
    let listening = Listening::new(listener)?;
    let router = Router::new().fallback(handle).layer(DefaultBodyLimit::disable()).with_state(world);
    let service = router.into_make_service_with_connect_info::<Line>();
    let serving = axum::serve(listening, service);
    tokio::select! {
        result = async { serving.await } => result,
        () = stopped => Ok(()),
    }
}

async fn handle(
    State(world): State<Shared>,
    ConnectInfo(line): ConnectInfo<Line>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response<Body> {
    if let Some(path) = uri.path().strip_prefix("/_emulator/") {
        let json = serde_json::from_slice(&body).unwrap_or_default();
        let query = uri.query().unwrap_or_default();
        let result = with(&world, |world| control::answer(world, method.as_str(), path, query, &json));
        return response(match result {
            Ok(value) => Answer::json(200, &value),
            Err(words) => Answer::json(400, &serde_json::json!({ "error": words })),
        });
    }
    let request = Request::read(&method, &uri, &headers, &body);
    if with(&world, |world| dispatch::is_held(world, &request)) {
        held(&world, &request, "before").await;
    }
    let Outcome { answer, then, delay, is_held } = with(&world, |world| dispatch::run(world, &request));
    if is_held {
        held(&world, &request, "after").await;
    }
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    match then {
        Then::Answer => {}
        Then::Reset => line.reset(),
        // Status and headers take some two hundred bytes.
        Then::Truncate => line.close_after(200 + answer.body.len() / 2),
    }
    response(answer)
}

/// A call while it is held: it is forgotten when it goes on, and when the client goes away and this is dropped.
struct Held<'a>(&'a Shared, u64);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        with(self.0, |world| world.behaviour.holds.end(self.1));
    }
}

/// Waits until the calls that are held are released.
async fn held(world: &Shared, request: &Request, when: &str) {
    let parameters: serde_json::Map<_, _> =
        request.params.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let call = serde_json::json!({"operation": request.operation, "parameters": parameters, "held": when});
    let (number, mut released) = with(world, |world| world.behaviour.holds.begin(call));
    let _held = Held(world, number);
    // The world that holds the other end is there as long as this is.
    let _ = released.changed().await;
}

fn response(answer: Answer) -> Response<Body> {
    let mut builder = Response::builder().status(answer.status).header("content-type", answer.content_type);
    for (name, value) in answer.headers {
        builder = builder.header(name.as_ref(), value);
    }
    builder
        .body(Body::from(answer.body))
        .unwrap_or_else(|error| (axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response())
}
