//! The receipt of a file transfer: how many bytes, and their hash, computed at both ends.

use std::fmt;

use twox_hash::XxHash3_128;

/// Counts and hashes the bytes of one transfer as they pass. Displayed, it is one line without its
/// newline, the same at both ends if every byte is the same.
#[derive(Clone)]
pub struct Receipt {
    bytes: u64,
    hash: XxHash3_128,
}

impl Receipt {
    /// The receipt for no bytes.
    #[expect(clippy::new_without_default, reason = "nobody needs a default receipt")]
    pub fn new() -> Receipt {
        Receipt {
            bytes: 0,
            hash: XxHash3_128::new(),
        }
    }

    /// Adds what was sent or received next.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.write(bytes);
    }

    /// How many bytes were added.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "received {} bytes, XXH3-128 {:032x}",
            self.bytes,
            self.hash.finish_128()
        )
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        let mut receipt = Receipt::new();
        assert_eq!(
            receipt.to_string(),
            "received 0 bytes, XXH3-128 99aa06d3014798d86001c324468d497f"
        );
        receipt.add(b"threadline");
        assert_eq!(receipt.bytes(), 10);
        assert_eq!(
            receipt.to_string(),
            "received 10 bytes, XXH3-128 e7fad3df5c06fa5ebc0e894f901fb053"
        );
    }

    proptest! {
        #[test]
        fn how_the_bytes_were_split_does_not_show(bytes in any::<Vec<u8>>(), cut in any::<prop::sample::Index>()) {
            let (mut whole, mut halves) = (Receipt::new(), Receipt::new());
            whole.add(&bytes);
            let (a, b) = bytes.split_at(cut.index(bytes.len() + 1));
            halves.add(a);
            halves.add(b);
            prop_assert_eq!(whole.to_string(), halves.to_string());
        }
    }
}
