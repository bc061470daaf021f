//! Telnet commands in the input of a client: removes them, and answers the one that needs an answer.
//!
//! A `telnet` program sends them for Ctrl-C and Ctrl-Z, as a keep-alive, and to negotiate options. Each starts with
//! the byte 0xFF, which occurs neither in UTF-8 nor in GBK (RFC 854, 855, 860).

/// Starts a command ("interpret as command").
const IAC: u8 = 0xff;
/// The first of the commands of two bytes, such as "end of file", "go ahead" and "erase line".
const FIRST: u8 = 0xec;
/// Starts a subnegotiation, which IAC SE ends.
const SB: u8 = 0xfa;
/// The commands of three bytes: the third is an option.
const WILL: u8 = 0xfb;
const DO: u8 = 0xfd;
const DONT: u8 = 0xfe;
const TIMING_MARK: u8 = 6;

/// The answer to DO TIMING-MARK: "I won't". After Ctrl-C, a `telnet` program shows nothing until it gets this.
pub const WONT_TIMING_MARK: [u8; 3] = [IAC, 0xfc, TIMING_MARK];

/// Maximum length of a subnegotiation in bytes. The rest counts as text, so that two stray bytes cannot silence a
/// client for ever.
const LONGEST: u16 = 512;

/// Removes the telnet commands from a stream, however it is split into reads.
#[derive(Debug, Default)]
pub struct Telnet(State);

/// The state of the parser at the end of the last read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Text,
    /// After IAC.
    Command,
    /// After one of the commands WILL to DONT.
    Option(u8),
    /// In a subnegotiation, which may have so many more bytes.
    Sub(u16),
    /// After IAC in a subnegotiation.
    SubCommand(u16),
}

impl Telnet {
    /// Moves the text to the front of `read`. Returns its length, and how many timing marks the client asked for.
    pub fn remove(&mut self, read: &mut [u8]) -> (usize, usize) {
        use State::{Command, Option, Sub, SubCommand, Text};
        if self.0 == Text && !read.contains(&IAC) {
            return (read.len(), 0);
        }
        let (mut text, mut marks) = (0, 0);
        for i in 0..read.len() {
            self.0 = match (self.0, read[i]) {
                (Text, IAC) => Command,
                (SubCommand(left), IAC) => Sub(left.saturating_sub(1)),
                (Command | SubCommand(_), SB) => Sub(LONGEST),
                (Command | SubCommand(_), verb @ WILL..=DONT) => Option(verb),
                (Command | SubCommand(_), FIRST..) => Text,
                (Option(DO), TIMING_MARK) => {
                    marks += 1;
                    Text
                }
                (Option(_), _) => Text,
                (Sub(left), IAC) => SubCommand(left),
                (Sub(left @ 1..), _) => Sub(left - 1),
                // Text. Also after an IAC that does not start a command, such as `ÿ` in Latin-1.
                (Text | Command | SubCommand(_) | Sub(0), byte) => {
                    read[text] = byte;
                    text += 1;
                    Text
                }
            };
        }
        (text, marks)
    }

    /// The answers to the telnet commands in `read`, which stay in it.
    pub fn answers(&mut self, read: &[u8]) -> Vec<u8> {
        if self.0 == State::Text && !read.contains(&IAC) {
            return Vec::new();
        }
        let (_, marks) = self.remove(&mut read.to_vec());
        WONT_TIMING_MARK.repeat(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn remove(reads: &[&[u8]]) -> (Vec<u8>, usize) {
        let (mut telnet, mut all, mut asked) = (Telnet::default(), Vec::new(), 0);
        for read in reads {
            let mut read = read.to_vec();
            let (text, marks) = telnet.remove(&mut read);
            all.extend_from_slice(&read[..text]);
            asked += marks;
        }
        (all, asked)
    }

    #[test]
    fn commands_of_every_length_are_removed() {
        for (sent, text) in [
            (&b"hi \xff\xfdx\n"[..], &b"hi \n"[..]),
            // NOP, PuTTY's keep-alive; interrupt; suspend; an escaped 0xFF.
            (b"a\xff\xf1b\xff\xf4c\xff\xedd\xff\xffe", b"abcde"),
            // A window of 80 columns and 10 lines, one with an escaped 255, and a terminal's name.
            (b"a\xff\xfa\x1f\0\x50\0\n\xff\xf0b", b"ab"),
            (b"a\xff\xfa\x1f\0\xff\xff\0\n\xff\xf0b", b"ab"),
            (b"\xff\xfa\x18\0xterm\xff\xf0who\n", b"who\n"),
            // A subnegotiation that another command ends.
            (b"\xff\xfa\x18\0xt\xff\xf1who", b"who"),
            // No command: only the 0xFF goes.
            (b"caf\xff\nna\xffve", b"caf\nnave"),
        ] {
            assert_eq!(remove(&[sent]), (text.to_vec(), 0), "{sent:?}");
        }
    }

    #[test]
    fn only_do_timing_mark_is_answered() {
        let (text, marks) = remove(&[b"\xff\xf4\xff\xfd\x06a\xff\xfb\x06\xff\xfe\x06\xff\xfd\x01"]);
        assert_eq!((&text[..], marks), (&b"a"[..], 1));
        assert_eq!(remove(&[b"\xff", b"\xfd", b"\x06\xff\xfd\x06"]).1, 2);
        let mut telnet = Telnet::default();
        assert_eq!(telnet.answers(b"a\xff\xfb\x06b\xff\xfd"), b"");
        assert_eq!(telnet.answers(b"\x06"), WONT_TIMING_MARK);
    }

    #[test]
    fn unterminated_subnegotiation_does_not_block_the_client() {
        let sent = [b"\xff\xfa", &[b'x'; 10_000][..], b"\nwho\n"].concat();
        let (text, _) = remove(&[&sent]);
        assert_eq!(text.len(), sent.len() - 2 - usize::from(LONGEST));
    }

    proptest! {
        #[test]
        fn text_does_not_depend_on_the_reads(
            bytes in proptest::collection::vec(prop_oneof![
                Just(0xff), 0xf0..=0xffu8, Just(TIMING_MARK), any::<u8>(),
            ], 0..200),
            cuts: Vec<proptest::sample::Index>,
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let reads: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let (text, marks) = remove(&[&bytes]);
            prop_assert!(!text.contains(&IAC));
            prop_assert_eq!(remove(&reads), (text, marks));
        }
    }
}
