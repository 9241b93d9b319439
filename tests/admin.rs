//! The administration: sessions, drain, log level, keys and refusals, by API and command line; and which requests it answers.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

#[path = "admin/access.rs"]
mod access;
#[cfg(unix)]
#[path = "admin/command_line.rs"]
mod command_line;
#[path = "admin/keys.rs"]
mod keys;
#[path = "admin/node.rs"]
mod node;
#[path = "admin/sessions.rs"]
mod sessions;

use std::net::SocketAddr;

use serde_json::Value;
use tapecast::config::Config;
use test_support::{HttpResponse, Server, get_with, request, send_json};

/// A server whose administration answers to this machine.
struct Administered {
    server: Server,
    admin: SocketAddr,
}

impl Administered {
    fn start(change: impl FnOnce(&mut Config)) -> Self {
        let server = Server::without_trades(|config| {
            config.access.admin = Some(([127, 0, 0, 1], 0).into());
            change(config);
        });
        let admin = server.admin_address.unwrap();
        Self { server, admin }
    }

    fn get(&self, path: &str) -> HttpResponse {
        get_with(self.admin, &format!("/admin/api/{path}"), "")
    }

    /// The body of an answer that succeeds.
    fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    fn delete(&self, path: &str) -> HttpResponse {
        request(self.admin, "DELETE", &format!("/admin/api/{path}"), "")
    }

    fn send(&self, method: &str, path: &str, body: &str) -> HttpResponse {
        send_json(self.admin, method, &format!("/admin/api/{path}"), "", body)
    }

    /// The list of sessions with this query.
    fn sessions(&self, query: &str) -> Vec<Value> {
        self.json(&format!("sessions?{query}"))["sessions"].as_array().unwrap().clone()
    }
}
