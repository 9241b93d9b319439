use super::WorkerMetrics;

/// The figures of frames that were handed to sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameTotals {
    /// Frames.
    pub frames: u64,
    /// Objects in them.
    pub objects: u64,
    /// The bytes of the frames.
    pub bytes: u64,
    /// Objects that a newer one of the same stream replaced before they were sent.
    pub conflated: u64,
}

impl FrameTotals {
    /// Adds a frame of this many objects, which replace `merged` older ones.
    pub fn add(&mut self, frame: &[u8], objects: usize, merged: u64) {
        self.frames += 1;
        self.objects += objects as u64;
        self.bytes += frame.len() as u64;
        self.conflated += merged;
    }
}

impl WorkerMetrics {
    /// Counts frames, the only way in which they are counted.
    pub fn count_frames(&self, totals: FrameTotals) {
        let FrameTotals { frames, objects, bytes, conflated } = totals;
        if frames == 0 {
            return;
        }
        self.frames.inc_by(frames);
        self.objects.inc_by(objects);
        self.bytes.inc_by(bytes);
        if conflated > 0 {
            self.conflated.inc_by(conflated);
        }
    }
}
