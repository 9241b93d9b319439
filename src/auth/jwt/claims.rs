use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{TokenFault, TokenRules};
use crate::auth::subject::is_subject;
use crate::auth::{Entitlements, TopicPattern, TopicRights};
use crate::model::{SECOND, Timestamp};

/// What a verified token says: its user, its end, and what the user may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `sub`: 1 to 128 visible ASCII characters.
    pub subject: String,
    /// `exp`, with the leeway.
    pub expires: Timestamp,
    /// `feeds`, `symbols`, `limits` and `control`.
    pub entitlements: Entitlements,
    /// `topics`.
    pub topics: TopicRights,
}

/// A claim that is one text or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// `limits`. A member that is unknown is an error, because a misspelt limit would be none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsClaim {
    max_sessions: Option<usize>,
    max_symbols: Option<usize>,
}

/// `topics`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicsClaim {
    subscribe: Option<Vec<String>>,
    publish: Option<Vec<String>>,
}

/// The claims of a payload, each of which is taken once.
struct ClaimSet(Map<String, Value>);

impl ClaimSet {
    fn take<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>, TokenFault> {
        let value = self.0.remove(name);
        value.map(|value| serde_json::from_value(value).map_err(|_| TokenFault::Malformed(name))).transpose()
    }

    /// An object: a list would be taken for its members in their order.
    fn take_object<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>, TokenFault> {
        match self.0.get(name) {
            Some(value) if !value.is_object() => Err(TokenFault::Malformed(name)),
            _ => self.take(name),
        }
    }

    /// A time in seconds since the Unix epoch, perhaps with a fraction.
    fn take_time(&mut self, name: &'static str) -> Result<Option<Timestamp>, TokenFault> {
        // Beyond the year 2262 the conversion saturates.
        let time = |seconds: f64| Timestamp::from_nanos((seconds * SECOND as f64) as i64);
        Ok(self.take::<f64>(name)?.map(time))
    }
}

impl Claims {
    /// Reads and checks the claims of a payload whose signature is verified.
    pub(super) fn check(
        payload: Map<String, Value>,
        rules: &TokenRules,
        now: Timestamp,
    ) -> Result<Self, TokenFault> {
        let mut payload = ClaimSet(payload);
        let expires = payload.take_time("exp")?.ok_or(TokenFault::Missing("exp"))?;
        let expires = later(expires, rules.leeway);
        let starts = [payload.take_time("nbf")?, payload.take_time("iat")?];
        if expires <= now {
            return Err(TokenFault::Expired);
        }
        if starts.into_iter().flatten().any(|start| start > later(now, rules.leeway)) {
            return Err(TokenFault::NotYetValid);
        }
        check_audience(payload.take("aud")?, &rules.audiences)?;
        let issuer = payload.take::<String>("iss")?;
        if rules.issuer.is_some() && rules.issuer != issuer {
            return Err(TokenFault::Issuer);
        }
        let subject = payload.take::<String>("sub")?.ok_or(TokenFault::Missing("sub"))?;
        if !is_subject(&subject) {
            return Err(TokenFault::Malformed("sub"));
        }
        let LimitsClaim { max_sessions, max_symbols } = payload.take_object("limits")?.unwrap_or_default();
        let TopicsClaim { subscribe, publish } = payload.take_object("topics")?.unwrap_or_default();
        let patterns = |texts| parsed::<TopicPattern>(texts, "topics");
        Ok(Self {
            subject,
            expires,
            entitlements: Entitlements {
                feeds: parsed(payload.take("feeds")?, "feeds")?,
                symbols: parsed(payload.take("symbols")?, "symbols")?,
                max_sessions,
                max_symbols,
                control: payload.take("control")?.unwrap_or_default(),
            },
            topics: TopicRights { subscribe: patterns(subscribe)?, publish: patterns(publish)? },
        })
    }
}

/// Checks `aud`: a token for others is refused, also where this server has no name (RFC 7519 section 4.1.3).
fn check_audience(claim: Option<OneOrMany>, ours: &[String]) -> Result<(), TokenFault> {
    let is_meant = match claim {
        None => ours.is_empty(),
        Some(OneOrMany::One(audience)) => ours.contains(&audience),
        Some(OneOrMany::Many(audiences)) => audiences.iter().any(|audience| ours.contains(audience)),
    };
    is_meant.then_some(()).ok_or(TokenFault::Audience)
}

fn parsed<T: FromStr>(texts: Option<Vec<String>>, claim: &'static str) -> Result<Option<Vec<T>>, TokenFault> {
    let parse = |text: String| text.parse().map_err(|_| TokenFault::Malformed(claim));
    texts.map(|texts| texts.into_iter().map(parse).collect()).transpose()
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_nanos(time.nanos().saturating_add(by.as_nanos() as i64))
}
