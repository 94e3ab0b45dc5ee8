//! What one input may cost. An input is 64 KiB at most, so that what grows with its square shows.

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Bytes on the heap above what was there before. The bounds of the readers allow this much, once: an item of
/// 16 MiB, decoded, in its parts, and what detection keeps of it.
const MAX_PEAK: usize = 192 << 20;

/// Runs a target on one input.
pub fn bounded(target: impl FnOnce()) {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    target();
    let peak = HEAP.peak_usage().saturating_sub(before);
    assert!(peak <= MAX_PEAK, "the input took {peak} bytes of memory");
}
