//! The messages that the load generator sends. Each carries its sender and its number, so that a receiver can
//! identify it and check that it is whole.
//!
//! A message is `~SSSSNNNNNNNN` (in the warm-up `^`), the sender and the number in hexadecimal, then
//! letters up to the size, then `\n`. All of it is printable, because the room drops control bytes.

/// The shortest message that can be sent, in bytes with its `\n`.
pub const SHORTEST: usize = HEAD + 1;

/// The longest that the chat passes in one piece: the originals' read buffer, in bytes.
pub const LONGEST: usize = 4096;

/// The most senders that a message can tell apart.
pub const SENDERS: usize = 1 << 16;

/// How a message of the measurement begins.
pub const MEASURED: u8 = b'~';

/// How one of the warm-up does, which is no message to the measurement.
pub const WARM_UP: u8 = b'^';

const HEAD: usize = 1 + 4 + 8;

/// How the messages of a round look.
#[derive(Debug, Default)]
pub struct Format {
    template: Vec<u8>,
}

impl Format {
    /// Messages that begin with `mark` and have `size` bytes with their `\n`, filled with letters of
    /// `seed`'s choice.
    ///
    /// # Panics
    /// `size` is less than [`SHORTEST`].
    pub fn new(mark: u8, size: usize, seed: u64) -> Format {
        assert!(
            size >= SHORTEST,
            "a message needs {SHORTEST} bytes, not {size}"
        );
        let mut random = fastrand::Rng::with_seed(seed);
        let mut template = vec![mark; HEAD];
        template.resize_with(size - 1, || random.lowercase() as u8);
        template.push(b'\n');
        Format { template }
    }

    /// The message `number` of `sender` (modulo [`SENDERS`]).
    pub fn message(&mut self, sender: usize, number: u32) -> &[u8] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let id = (sender as u64) << 32 | u64::from(number);
        for (i, byte) in self.template[1..HEAD].iter_mut().enumerate() {
            *byte = DIGITS[(id >> (44 - 4 * i) & 0xf) as usize];
        }
        &self.template
    }

    /// Finds the message at the end of `line` (which is without its line end): what stands before
    /// it, the sender, the number, and whether the letters after them are those that were sent.
    ///
    /// `None` is a line that holds no message, such as a login.
    pub fn read<'a>(&self, line: &'a [u8]) -> Option<(&'a [u8], usize, u32, bool)> {
        let begin = line.len().checked_sub(self.template.len() - 1)?;
        let (before, message) = line.split_at(begin);
        if message[0] != self.template[0] {
            return None;
        }
        let mut id = 0u64;
        for &byte in &message[1..HEAD] {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            id = id << 4 | u64::from(digit);
        }
        let whole = message[HEAD..] == self.template[HEAD..self.template.len() - 1];
        Some((before, (id >> 32) as usize, id as u32, whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        for size in [SHORTEST, 64, LONGEST] {
            let mut format = Format::new(MEASURED, size, 7);
            for (sender, number) in [(0, 0), (1, 0xdead_beef), (0xffff, u32::MAX)] {
                let message = format.message(sender, number);
                assert_eq!(message.len(), size);
                assert!(message.iter().all(|b| !b.is_ascii_control() || *b == b'\n'));
                let mut line = b"[1.2.3.4:5]me: ".to_vec();
                line.extend_from_slice(message.trim_ascii_end());
                assert_eq!(
                    format.read(&line),
                    Some((&b"[1.2.3.4:5]me: "[..], sender, number, true)),
                );
            }
        }
    }

    #[test]
    fn senders_beyond_the_digits_begin_anew() {
        let mut format = Format::new(MEASURED, SHORTEST, 7);
        let message = format.message(SENDERS + 3, 5).to_vec();
        let read = format.read(message.trim_ascii_end());
        assert_eq!(read, Some((&b""[..], 3, 5, true)));
    }

    #[test]
    fn damage_is_detected() {
        let mut format = Format::new(MEASURED, 32, 7);
        let mut message = format.message(1, 2).to_vec();
        message.pop();
        let sound = message.clone();
        message[20] ^= 1;
        assert_eq!(format.read(&message), Some((&b""[..], 1, 2, false)));
        assert_eq!(format.read(&sound[1..]), None, "too short");
        assert_eq!(format.read(&[&sound[..], b"x"].concat()), None, "shifted");
        assert_eq!(format.read(b""), None);
        let warm_up = Format::new(WARM_UP, 32, 7);
        assert_eq!(warm_up.read(&sound), None, "of the measurement");
    }

    #[test]
    fn a_seed_chooses_the_letters() {
        assert_eq!(
            Format::new(MEASURED, 64, 1).template,
            Format::new(MEASURED, 64, 1).template
        );
        assert_ne!(
            Format::new(MEASURED, 64, 1).template,
            Format::new(MEASURED, 64, 2).template
        );
    }
}
