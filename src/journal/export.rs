use std::io::{self, Write};

use super::reader::{JournalItem, JournalReader};
use crate::feed::Batch;
use crate::model::{Channel, Object, Symbol};
use crate::wire::{Codec, DeliveryKind, write_csv, write_csv_header, write_csv_message};

/// What of a journal is written in which form.
#[derive(Clone, Debug)]
pub struct ExportSettings {
    /// The form.
    pub format: ExportFormat,
    /// Only objects of these channels, of which one of topics stands for both kinds; all if there is none.
    pub channels: Vec<Channel>,
    /// Only objects of these symbols and topics; all if there is none.
    pub symbols: Vec<Symbol>,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One object in JSON on each line, as clients get it, with `sq`.
    Ndjson,
    /// One object of one channel on each line, with its fields in columns.
    Csv(Channel),
}

impl ExportSettings {
    fn includes(&self, batch: &Batch, object: &Object) -> bool {
        let channel = object.stream().channel();
        // The two of topics share it.
        let is_named = |wanted: &Channel| wanted.letter() == channel.letter();
        let is_of_channel = match &self.format {
            ExportFormat::Csv(only) => is_named(only),
            ExportFormat::Ndjson => self.channels.is_empty() || self.channels.iter().any(is_named),
        };
        is_of_channel
            && (self.symbols.is_empty() || {
                self.symbols.contains(batch.universe().name_of(object.stream()))
            })
    }
}

/// Writes the objects of a journal, in the order of publication. A message that was taken back later is written as it was
/// published. Returns what could not be read, in words for people.
///
/// # Errors
/// When the journal cannot be read or the output not be written.
pub fn export(
    mut reader: JournalReader,
    settings: &ExportSettings,
    out: &mut impl Write,
) -> io::Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut text = Vec::new();
    if let ExportFormat::Csv(channel) = settings.format {
        write_csv_header(&mut text, channel);
    }
    while let Some(item) = reader.next_item()? {
        match item {
            JournalItem::Batch(batch) => {
                let universe = batch.universe();
                let included = batch.with_contents().filter(|(object, _)| settings.includes(&batch, object));
                for (object, content) in included {
                    match (settings.format, content) {
                        (ExportFormat::Ndjson, _) => {
                            Codec::Json.write_with(&mut text, universe, object, content, DeliveryKind::Live);
                            // In place of the comma that separates objects.
                            *text.last_mut().expect("an object is not empty") = b'\n';
                        }
                        (ExportFormat::Csv(_), None) => write_csv(&mut text, universe, object),
                        (ExportFormat::Csv(_), Some(message)) => {
                            write_csv_message(&mut text, universe, object, message);
                        }
                    }
                }
            }
            JournalItem::Hole(hole) => {
                faults.push(format!("batches {} to {} were not recorded", hole.from, hole.to));
            }
            JournalItem::Damaged { name, position, damage } => {
                faults.push(format!("{name}: at byte {position}: {damage}"));
            }
            JournalItem::Segment { .. } | JournalItem::Jump { .. } | JournalItem::CleanStop => {}
        }
        out.write_all(&text)?;
        text.clear();
    }
    out.write_all(&text)?;
    out.flush()?;
    Ok(faults)
}
