//! A NATS server as a child process.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{TempFolder, wait_for};

/// A NATS server with JetStream on a port of its own, killed when dropped.
#[derive(Debug)]
pub struct NatsServer {
    child: Child,
    program: PathBuf,
    folder: TempFolder,
    address: SocketAddr,
}

impl NatsServer {
    /// Starts a server; `None` if there is no program: `make .tools/bin/nats-server` fetches it.
    pub fn start() -> Option<Self> {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/nats-server");
        let program = [tools, "/usr/sbin/nats-server".into()].into_iter().find(|program| program.exists())?;
        let folder = TempFolder::new();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/nats.conf");
        let text = std::fs::read_to_string(sample).unwrap();
        let mut text = text.replace("/data", &folder.file("jetstream").display().to_string());
        for line in ["listen: 0.0.0.0:4222", "write_deadline: \"500ms\""] {
            assert!(text.contains(line), "docker/nats.conf no longer contains `{line}`");
        }
        text = text.replace("listen: 0.0.0.0:4222", &format!("listen: {address}"));
        std::fs::write(folder.file("nats.conf"), text).unwrap();
        let child = spawn(&program, &folder);
        let server = Self { child, program, folder, address };
        server.wait();
        Some(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value of `--nats`.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Kills the server and starts it again at the same address, with what it has stored.
    pub fn restart(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = spawn(&self.program, &self.folder);
        self.wait();
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.file("nats.log")).unwrap()
    }

    fn wait(&self) {
        wait_for("nats-server to listen", || TcpStream::connect(self.address).ok());
    }
}

fn spawn(program: &Path, folder: &TempFolder) -> Child {
    let output = Stdio::from(std::fs::File::create(folder.file("nats.log")).unwrap());
    Command::new(program).arg("-c").arg(folder.file("nats.conf")).stderr(output).spawn().unwrap()
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
