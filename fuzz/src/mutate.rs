//! Mutations that libFuzzer does not make by itself: evidence repeats its parts, and what is done for each of
//! them must not grow with all the others.

/// One of so many mutations repeats a part; the others are libFuzzer's own.
const REPEATS: u32 = 16;

/// Bytes of a part that is repeated; a line longer than that is repeated from its beginning.
const MAX_PART: usize = 512;

/// What stands between the parts of logs, of JSON, of URLs and headers.
const ENDS: [&[u8]; 3] = [b"\n", b",{}[]", b"&?#;\n"];

/// Changes the first `size` bytes of `data`, and returns how many they are now. Every second input is sealed.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    seal: fn(&mut [u8]),
) -> usize {
    let size = changed(data, size, max_size, seed);
    if seed & 1 << 16 != 0 {
        seal(&mut data[..size]);
    }
    size
}

fn changed(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if size == 0 || size >= max_size || seed % REPEATS != 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let mut numbers = Numbers::from(seed);
    let part = part(&data[..size], &mut numbers);
    let mut copy = data[part.clone()].to_vec();
    let (end, rest) = (part.end, data[part.end..size].to_vec());
    let room = max_size.min(data.len()).saturating_sub(size) / copy.len();
    let count = room.min(1 << numbers.below(13));
    // Whether each copy is another: what is the same twice may be passed over.
    let counted = (numbers.below(2) == 0).then(|| numbers.below(copy.len()));
    let mut out = end;
    for number in 0..count {
        if let Some(at) = counted {
            for (byte, digit) in copy[at..].iter_mut().zip(format!("{number:04x}").bytes()) {
                *byte = digit;
            }
        }
        data[out..out + copy.len()].copy_from_slice(&copy);
        out += copy.len();
    }
    data[out..out + rest.len()].copy_from_slice(&rest);
    out + rest.len()
}

/// A part between two of the [`ENDS`], or any.
fn part(data: &[u8], numbers: &mut Numbers) -> std::ops::Range<usize> {
    let at = numbers.below(data.len());
    let Some(ends) = ENDS.get(numbers.below(4)) else {
        return at..(at + 1 + numbers.below(MAX_PART)).min(data.len());
    };
    let is_end = |byte: &u8| ends.contains(byte);
    let start = data[..at].iter().rposition(is_end).map_or(0, |it| it + 1);
    let end = data[at..]
        .iter()
        .position(is_end)
        .map_or(data.len(), |it| at + it + 1);
    start..end.min(start + MAX_PART)
}

/// A xorshift generator: the same seed makes the same mutation.
struct Numbers(u64);

impl Numbers {
    fn from(seed: u32) -> Self {
        Self((u64::from(seed) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}
