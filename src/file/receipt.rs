//! The receipt of a file transfer: the number of bytes and their hash, computed on both sides.

use std::fmt;

use twox_hash::XxHash3_128;

/// Counts and hashes the bytes of one transfer. Its `Display` is one line without a newline, which is equal on
/// both sides if all bytes are.
#[derive(Clone)]
pub struct Receipt {
    bytes: u64,
    hash: XxHash3_128,
}

impl Receipt {
    /// The receipt for no bytes.
    #[expect(clippy::new_without_default, reason = "a default has no user")]
    pub fn new() -> Receipt {
        Receipt {
            bytes: 0,
            hash: XxHash3_128::new(),
        }
    }

    /// Adds the next bytes that were sent or received.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.write(bytes);
    }

    /// The number of bytes so far.
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
    fn hash_is_xxh3_128() {
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
        fn split_bytes_give_the_same_receipt(bytes in any::<Vec<u8>>(), cut in any::<prop::sample::Index>()) {
            let (mut whole, mut halves) = (Receipt::new(), Receipt::new());
            whole.add(&bytes);
            let (a, b) = bytes.split_at(cut.index(bytes.len() + 1));
            halves.add(a);
            halves.add(b);
            prop_assert_eq!(whole.to_string(), halves.to_string());
        }
    }
}
