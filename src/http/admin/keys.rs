//! The keys of the key file.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::state::AppState;
use super::access::{Operator, read_body};
use super::error::AdminError;
use crate::auth::{Entitlements, KeyChangeError, KeyId, KeyStore};
use crate::model::{Feed, Symbol};

/// A key as it is told.
#[derive(Debug, Serialize)]
struct KeyView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    feeds: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbols: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_sessions: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_symbols: Option<usize>,
    control: bool,
    /// Those of this node.
    sessions: usize,
}

/// The body of a request for a new key.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NewKeyBody {
    id: Option<String>,
    feeds: Option<Vec<String>>,
    symbols: Option<Vec<String>>,
    max_sessions: Option<usize>,
    max_symbols: Option<usize>,
    control: bool,
}

impl KeyView {
    fn of(id: &str, entitlements: Entitlements, sessions: usize) -> Self {
        let Entitlements { feeds, symbols, max_sessions, max_symbols, control } = entitlements;
        Self {
            id: id.to_owned(),
            feeds: feeds.map(|feeds| feeds.iter().map(Feed::to_string).collect()),
            symbols: symbols.map(|symbols| symbols.iter().map(Symbol::to_string).collect()),
            max_sessions,
            max_symbols,
            control,
            sessions,
        }
    }
}

impl NewKeyBody {
    /// The id and what the key allows; `random` is the id where none is given.
    fn parse(self, random: u64) -> Result<(KeyId, Entitlements), AdminError> {
        let id = self.id.unwrap_or_else(|| format!("key-{random:016x}"));
        let id = id.parse().map_err(|error| AdminError::invalid(format!("id: {error}")))?;
        let feeds = self.feeds.map(|names| names.iter().map(|name| name.parse::<Feed>()).collect());
        let feeds: Option<Result<Vec<_>, _>> = feeds;
        let symbols = self.symbols.map(|texts| texts.iter().map(|text| text.parse::<Symbol>()).collect());
        let symbols: Option<Result<Vec<_>, _>> = symbols;
        if self.max_sessions == Some(0) || self.max_symbols == Some(0) {
            return Err(AdminError::invalid("max_sessions and max_symbols: expected 1 or more"));
        }
        let entitlements = Entitlements {
            feeds: feeds.transpose().map_err(|error| AdminError::invalid(format!("feeds: {error}")))?,
            symbols: symbols.transpose().map_err(|error| AdminError::invalid(format!("symbols: {error}")))?,
            max_sessions: self.max_sessions,
            max_symbols: self.max_symbols,
            control: self.control,
        };
        Ok((id, entitlements))
    }
}

fn keys_of(state: &AppState) -> Result<Arc<KeyStore>, AdminError> {
    let none = || AdminError::Conflict("the server has no key file: start it with --keys FILE".to_owned());
    state.keys.clone().filter(|keys| keys.has_file()).ok_or_else(none)
}

fn view(keys: &KeyStore, id: &str) -> Option<KeyView> {
    let key = keys.list().into_iter().find(|key| key.id() == id)?;
    let sessions = keys.sessions().here().into_iter().find(|(holder, _)| holder == id);
    Some(KeyView::of(id, key.entitlements(), sessions.map_or(0, |(_, sessions)| sessions)))
}

/// Changes the file on a thread of its own: the disk takes milliseconds.
async fn change<T: Send + 'static>(
    change: impl FnOnce() -> Result<T, KeyChangeError> + Send + 'static,
) -> Result<T, AdminError> {
    let ended = |_| AdminError::Conflict("the server stops".to_owned());
    Ok(web::block(change).await.map_err(ended)??)
}

fn random_bytes() -> [u8; 48] {
    let mut random = [0; 48];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut random);
    random
}

/// `GET /admin/api/keys`.
pub(super) async fn list(_: Operator, state: Data<AppState>) -> Result<HttpResponse, AdminError> {
    let keys = keys_of(&state)?;
    let sessions: HashMap<_, _> = keys.sessions().here().into_iter().collect();
    let views: Vec<_> = keys
        .list()
        .iter()
        .map(|key| KeyView::of(key.id(), key.entitlements(), sessions.get(key.id()).copied().unwrap_or(0)))
        .collect();
    Ok(HttpResponse::Ok().json(json!({"keys": views})))
}

/// `POST /admin/api/keys`: the only answer that has the secret.
pub(super) async fn add(
    operator: Operator,
    request: HttpRequest,
    state: Data<AppState>,
    body: Payload,
) -> Result<HttpResponse, AdminError> {
    let keys = keys_of(&state)?;
    let body: NewKeyBody = read_body(&request, &state, body).await?;
    let (id, entitlements) = body.parse(rand::random())?;
    let (store, new) = (Arc::clone(&keys), id.clone());
    let secret = change(move || store.add(&new, entitlements, random_bytes())).await?;
    operator.audit("new key", id.as_str(), "");
    let answer = json!({"key": view(&keys, id.as_str()), "secret": secret});
    Ok(HttpResponse::build(StatusCode::CREATED).json(answer))
}

/// `POST /admin/api/keys/{id}/rotate`: a new secret. Sessions of the old one end.
pub(super) async fn rotate(
    operator: Operator,
    id: Path<String>,
    state: Data<AppState>,
) -> Result<HttpResponse, AdminError> {
    let keys = keys_of(&state)?;
    let (store, of) = (Arc::clone(&keys), id.to_string());
    let secret = change(move || store.rotate(&of, random_bytes())).await?;
    operator.audit("rotate key", &id, "");
    Ok(HttpResponse::Ok().json(json!({"key": view(&keys, &id), "secret": secret})))
}

/// `DELETE /admin/api/keys/{id}`. Sessions of the key end.
pub(super) async fn revoke(
    operator: Operator,
    id: Path<String>,
    state: Data<AppState>,
) -> Result<HttpResponse, AdminError> {
    let keys = keys_of(&state)?;
    let of = id.to_string();
    change(move || keys.revoke(&of)).await?;
    operator.audit("revoke key", &id, "");
    Ok(HttpResponse::NoContent().finish())
}
