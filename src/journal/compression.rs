use std::fs::{self, File};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tracing::warn;

use super::disk::Folder;
use super::segment::{PARTIAL, SegmentForm, SegmentName};
use crate::metrics::JournalMetrics;

/// The level of zstd: 3 halves the rows at 300 MB/s, higher levels save a few percent more for several times the
/// work.
const LEVEL: i32 = 3;

/// How much lower the priority of the compressing thread is: it runs when nothing else does.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// Starts the thread that compresses complete segments, one after the other; it ends with the sender.
pub(super) fn start_compression(folder: Folder, metrics: JournalMetrics) -> io::Result<Sender<SegmentName>> {
    let (sender, receiver) = channel();
    thread::Builder::new()
        .name("journal-zstd".to_owned())
        .spawn(move || compress_all(&folder, &receiver, &metrics))?;
    Ok(sender)
}

fn compress_all(folder: &Folder, segments: &Receiver<SegmentName>, metrics: &JournalMetrics) {
    // On Linux this is the priority of the calling thread.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
    for name in segments {
        if let Err(error) = compress(folder, name) {
            metrics.errors.inc();
            warn!(segment = %name, "a segment of the journal stays uncompressed: {error}");
        }
    }
}

/// Replaces the plain form of a segment by the compressed one. A crash at any point leaves at least one of both.
pub(super) fn compress(folder: &Folder, name: SegmentName) -> io::Result<()> {
    let plain = folder.file(name, SegmentForm::Plain);
    let mut source = match File::open(&plain) {
        // It was deleted meanwhile, by the retention.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let partial = folder.other(&format!("{}{PARTIAL}", name.file(SegmentForm::Compressed)));
    let written = (|| {
        let mut encoder = zstd::Encoder::new(File::create(&partial)?, LEVEL)?;
        encoder.include_checksum(true)?;
        io::copy(&mut source, &mut encoder)?;
        encoder.finish()?.sync_all()
    })();
    if let Err(error) = written {
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    // If the retention deletes the segment between the two, it will delete this file as well, the next time.
    fs::rename(&partial, folder.file(name, SegmentForm::Compressed))?;
    folder.sync()?;
    fs::remove_file(&plain)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use test_support::TempFolder;

    #[test]
    fn a_compressed_segment_replaces_the_plain_one_and_holds_the_same() {
        let files = TempFolder::new();
        let folder = Folder::new(files.path());
        let name = SegmentName { ordinal: 4, day: 20_000 };
        let content: Vec<u8> = (0..100_000_u32).flat_map(|number| (number / 9).to_le_bytes()).collect();
        fs::write(folder.file(name, SegmentForm::Plain), &content).unwrap();

        compress(&folder, name).unwrap();

        let [segment] = folder.segments().unwrap()[..] else { panic!("one segment") };
        assert_eq!((segment.name, segment.form), (name, SegmentForm::Compressed));
        assert!(segment.bytes < content.len() as u64 / 2);
        let mut read = Vec::new();
        let file = File::open(folder.file(name, SegmentForm::Compressed)).unwrap();
        zstd::Decoder::new(file).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == content);
    }

    #[test]
    fn a_segment_that_is_gone_is_not_compressed() {
        let files = TempFolder::new();

        compress(&Folder::new(files.path()), SegmentName { ordinal: 4, day: 20_000 }).unwrap();

        assert_eq!(fs::read_dir(files.path()).unwrap().count(), 0);
    }
}
