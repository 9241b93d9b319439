//! The binary forms of what nodes send each other about topics.

use std::sync::Arc;
use std::time::Duration;

use super::message::{push_option, push_text, take_array, take_option, take_text};
use crate::feed::{push_content, take_content};
use crate::model::{Epoch, Seq, Symbol};
use crate::topics::{
    Denial, Moderation, MuteScope, NodePresence, Publication, PublicationNumber, PublishRefusal, TopicAnswer,
    TopicCommand,
};
use crate::wire::InvalidRow;
use crate::wire::varint::{push_u64, take, take_u64};

const PUBLISH: u8 = 1;
const MODERATE: u8 = 2;

const MUTE: u8 = 1;
const UNMUTE: u8 = 2;
const SLOW: u8 = 3;

const TOPIC: u8 = 1;
const NAMESPACE: u8 = 2;

pub(super) fn push_command(out: &mut Vec<u8>, command: &TopicCommand) {
    match command {
        TopicCommand::Publish(Publication { topic, message }) => {
            out.push(PUBLISH);
            push_text(out, topic.as_str());
            push_content(out, message);
        }
        TopicCommand::Moderate(moderation) => {
            out.push(MODERATE);
            push_moderation(out, moderation);
        }
    }
}

pub(super) fn take_command(bytes: &mut &[u8]) -> Result<TopicCommand, InvalidRow> {
    match take(bytes, 1)?[0] {
        PUBLISH => {
            let topic = take_symbol(bytes)?;
            let message = Arc::new(take_content(bytes)?);
            Ok(TopicCommand::Publish(Publication { topic, message }))
        }
        MODERATE => take_moderation(bytes).map(TopicCommand::Moderate),
        _ => Err(InvalidRow),
    }
}

pub(super) fn push_answer(out: &mut Vec<u8>, answer: &TopicAnswer) {
    let (code, number) = match answer {
        Ok(number) => {
            out.push(0);
            return push_option(out, *number, |out, PublicationNumber { seq, epoch }| {
                push_u64(out, seq.0);
                out.extend_from_slice(&epoch.number().to_le_bytes());
            });
        }
        Err(PublishRefusal::NoSuchTopic) => (1, 0),
        Err(PublishRefusal::NotPermitted(denial)) => {
            (2, Denial::ALL.iter().position(|known| known == denial).unwrap_or_default() as u64)
        }
        Err(PublishRefusal::Muted { remaining }) => (3, nanos(*remaining)),
        Err(PublishRefusal::TooBig { max }) => (4, *max as u64),
        Err(PublishRefusal::TooDeep) => (5, 0),
        Err(PublishRefusal::ControlCharacter) => (6, 0),
        Err(PublishRefusal::Unanswered) => (7, 0),
        Err(PublishRefusal::TooFast { retry }) => (8, nanos(*retry)),
        Err(PublishRefusal::TooManyRestrictions) => (9, 0),
        Err(PublishRefusal::NoSuchMessage) => (10, 0),
        Err(PublishRefusal::TakenBackAlready) => (11, 0),
        Err(PublishRefusal::IsDeletion) => (12, 0),
    };
    out.push(code);
    push_u64(out, number);
}

pub(super) fn take_answer(bytes: &mut &[u8]) -> Result<TopicAnswer, InvalidRow> {
    let code = take(bytes, 1)?[0];
    if code == 0 {
        return take_option(bytes, |bytes| {
            let seq = Seq(take_u64(bytes)?);
            let epoch = Epoch::new(u64::from_le_bytes(take_array(bytes)?));
            Ok(PublicationNumber { seq, epoch })
        })
        .map(Ok);
    }
    let number = take_u64(bytes)?;
    Ok(Err(match code {
        1 => PublishRefusal::NoSuchTopic,
        2 => {
            let place = usize::try_from(number).map_err(|_| InvalidRow)?;
            PublishRefusal::NotPermitted(*Denial::ALL.get(place).ok_or(InvalidRow)?)
        }
        3 => PublishRefusal::Muted { remaining: Duration::from_nanos(number) },
        4 => PublishRefusal::TooBig { max: number.try_into().map_err(|_| InvalidRow)? },
        5 => PublishRefusal::TooDeep,
        6 => PublishRefusal::ControlCharacter,
        7 => PublishRefusal::Unanswered,
        8 => PublishRefusal::TooFast { retry: Duration::from_nanos(number) },
        9 => PublishRefusal::TooManyRestrictions,
        10 => PublishRefusal::NoSuchMessage,
        11 => PublishRefusal::TakenBackAlready,
        12 => PublishRefusal::IsDeletion,
        _ => return Err(InvalidRow),
    }))
}

pub(super) fn push_moderations(out: &mut Vec<u8>, moderations: &[Moderation]) {
    push_u64(out, moderations.len() as u64);
    moderations.iter().for_each(|moderation| push_moderation(out, moderation));
}

pub(super) fn take_moderations(bytes: &mut &[u8]) -> Result<Vec<Moderation>, InvalidRow> {
    let count = take_u64(bytes)?;
    (0..count).map(|_| take_moderation(bytes)).collect()
}

fn push_moderation(out: &mut Vec<u8>, moderation: &Moderation) {
    match moderation {
        Moderation::Mute { scope, name, time } => {
            out.push(MUTE);
            push_scope(out, scope);
            push_text(out, name);
            push_u64(out, nanos(*time));
        }
        Moderation::Unmute { scope, name } => {
            out.push(UNMUTE);
            push_scope(out, scope);
            push_text(out, name);
        }
        Moderation::Slow { topic, interval } => {
            out.push(SLOW);
            push_text(out, topic.as_str());
            push_u64(out, nanos(*interval));
        }
    }
}

fn take_moderation(bytes: &mut &[u8]) -> Result<Moderation, InvalidRow> {
    Ok(match take(bytes, 1)?[0] {
        MUTE => Moderation::Mute {
            scope: take_scope(bytes)?,
            name: take_text(bytes)?.into(),
            time: Duration::from_nanos(take_u64(bytes)?),
        },
        UNMUTE => Moderation::Unmute { scope: take_scope(bytes)?, name: take_text(bytes)?.into() },
        SLOW => {
            Moderation::Slow { topic: take_symbol(bytes)?, interval: Duration::from_nanos(take_u64(bytes)?) }
        }
        _ => return Err(InvalidRow),
    })
}

fn push_scope(out: &mut Vec<u8>, scope: &MuteScope) {
    let (kind, name) = match scope {
        MuteScope::Topic(topic) => (TOPIC, topic.as_str()),
        MuteScope::Namespace(namespace) => (NAMESPACE, &**namespace),
    };
    out.push(kind);
    push_text(out, name);
}

fn take_scope(bytes: &mut &[u8]) -> Result<MuteScope, InvalidRow> {
    match take(bytes, 1)?[0] {
        TOPIC => take_symbol(bytes).map(MuteScope::Topic),
        NAMESPACE => Ok(MuteScope::Namespace(take_text(bytes)?.into())),
        _ => Err(InvalidRow),
    }
}

pub(super) fn push_presence(out: &mut Vec<u8>, presence: &[NodePresence]) {
    push_u64(out, presence.len() as u64);
    for NodePresence { topic, sessions, names, list } in presence {
        push_text(out, topic.as_str());
        push_u64(out, *sessions as u64);
        push_u64(out, *names as u64);
        push_u64(out, list.len() as u64);
        list.iter().for_each(|name| push_text(out, name));
    }
}

pub(super) fn take_presence(bytes: &mut &[u8]) -> Result<Vec<NodePresence>, InvalidRow> {
    let take_count = |bytes: &mut &[u8]| take_u64(bytes)?.try_into().map_err(|_| InvalidRow);
    let count = take_u64(bytes)?;
    let take_topic = |_| {
        Ok(NodePresence {
            topic: take_symbol(bytes)?,
            sessions: take_count(bytes)?,
            names: take_count(bytes)?,
            list: {
                let count = take_u64(bytes)?;
                (0..count).map(|_| take_text(bytes).map(Into::into)).collect::<Result<_, _>>()?
            },
        })
    };
    (0..count).map(take_topic).collect()
}

fn take_symbol(bytes: &mut &[u8]) -> Result<Symbol, InvalidRow> {
    take_text(bytes)?.parse().map_err(|_| InvalidRow)
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}
