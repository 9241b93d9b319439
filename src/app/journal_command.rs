//! `tapecast journal` and `tapecast verify`: what the subcommands do.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Write};
use std::process::ExitCode;

use crate::config::{JournalTask, VerifyOptions};
use crate::journal::{
    ClientRecording, JournalItem, JournalReader, JournalSurvey, SegmentSurvey, Verification, export,
};
use crate::model::Epoch;
use crate::wire::rfc3339;

/// Runs a subcommand of `journal`; results go to `out`, faults to `errors`.
///
/// # Errors
/// When the journal cannot be read or the output not be written.
pub fn run_journal_task(
    task: &JournalTask,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> io::Result<ExitCode> {
    let done = match task {
        JournalTask::Inspect(journal) => JournalReader::open(&journal.folder)
            .and_then(JournalSurvey::of)
            .and_then(|survey| inspect(&survey, out)),
        JournalTask::Verify(journal) => JournalReader::open(&journal.folder)
            .and_then(JournalSurvey::of)
            .and_then(|survey| verify(&survey, out)),
        JournalTask::Export(settings) => {
            let wanted = match settings.settings() {
                Ok(wanted) => wanted,
                Err(wrong) => {
                    writeln!(errors, "error: {wrong}")?;
                    return Ok(ExitCode::from(2));
                }
            };
            JournalReader::open(&settings.folder.folder).and_then(|reader| {
                let faults = export(reader, &wanted, out)?;
                faults.iter().try_for_each(|fault| writeln!(errors, "warning: {fault}"))?;
                Ok(ExitCode::SUCCESS)
            })
        }
    };
    match done {
        // `tapecast journal export DIR | head`
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        done => done,
    }
}

/// Compares a client's recording with a journal.
///
/// # Errors
/// When one of them cannot be read or the output not be written.
pub fn run_verify(options: &VerifyOptions, out: &mut impl Write) -> io::Result<ExitCode> {
    let named = |error: io::Error| {
        let file = options.client.display();
        io::Error::new(error.kind(), format!("{file}: {error}"))
    };
    let file = File::open(&options.client).map_err(named)?;
    let recording =
        ClientRecording::read(BufReader::new(file)).map_err(|error| named(io::Error::other(error)))?;
    let mut verification = Verification::new(recording);
    let mut epoch = Epoch::default();
    for item in JournalReader::open(&options.journal)? {
        match item? {
            JournalItem::Segment { epoch: of_segment, .. } => epoch = of_segment,
            JournalItem::Batch(batch) => {
                epoch = batch.begun_epoch().unwrap_or(epoch);
                verification.batch(epoch, &batch);
            }
            JournalItem::Jump { .. }
            | JournalItem::Hole(_)
            | JournalItem::CleanStop
            | JournalItem::Damaged { .. } => {}
        }
    }
    let report = verification.report();
    write!(out, "{report}")?;
    Ok(if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn inspect(survey: &JournalSurvey, out: &mut impl Write) -> io::Result<ExitCode> {
    writeln!(out, "segment\tepoch\tbatches\tobjects\tmissing\tfrom\tto\tend")?;
    for segment in &survey.segments {
        let SegmentSurvey { name, epochs, batches, times, objects, missing, is_clean_stop, damage } = segment;
        let batches = batches.map_or("-".to_owned(), |(first, last)| format!("{first}-{last}"));
        let [from, to] = match times {
            Some((from, to)) => [rfc3339(*from), rfc3339(*to)],
            None => ["-".to_owned(), "-".to_owned()],
        };
        let epochs = epochs.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let end = match damage {
            Some((position, damage)) => format!("damaged at byte {position}: {damage}"),
            None if *is_clean_stop => "clean stop".to_owned(),
            None => "-".to_owned(),
        };
        writeln!(out, "{name}\t{epochs}\t{batches}\t{objects}\t{missing}\t{from}\t{to}\t{end}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(survey: &JournalSurvey, out: &mut impl Write) -> io::Result<ExitCode> {
    survey.faults.iter().try_for_each(|fault| writeln!(out, "{fault}"))?;
    let sum = |of: fn(&SegmentSurvey) -> u64| survey.segments.iter().map(of).sum::<u64>();
    let (objects, missing) = (sum(|segment| segment.objects), sum(|segment| segment.missing));
    let (segments, faults) = (survey.segments.len(), survey.faults.len());
    writeln!(out, "{segments} segments, {objects} objects, {missing} batches not recorded, {faults} faults")?;
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
