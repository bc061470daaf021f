//! Tests of how reads are split into messages.

use proptest::prelude::*;

use super::*;
use crate::text::clean;
use crate::text::is_unsafe;

/// A message, and whether it may be a command.
type Said = (Vec<u8>, bool);

/// Adds one read, and collects its messages.
fn read(lines: &mut Lines, mut read: &[u8], said: &mut Vec<Said>) {
    while !read.is_empty() {
        let space = lines.space();
        let n = space.len().min(read.len());
        space[..n].copy_from_slice(&read[..n]);
        read = &read[n..];
        lines.take(n);
        find(lines, said);
    }
}

fn find(lines: &mut Lines, said: &mut Vec<Said>) {
    while let Some(found) = lines.find() {
        let line = lines.get(found);
        said.push((line.to_vec(), !line.command().is_empty()));
    }
}

fn end(lines: &mut Lines, said: &mut Vec<Said>) {
    lines.release();
    find(lines, said);
}

/// The messages of these reads, before and after the end of the connection.
fn say(reads: &[&[u8]]) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut said) = (Lines::default(), Vec::new());
    for bytes in reads {
        read(&mut lines, bytes, &mut said);
    }
    let before = said.clone();
    end(&mut lines, &mut said);
    let text = |said: &[Said]| said.iter().map(|(text, _)| show(text)).collect();
    (text(&before), text(&said))
}

fn show(text: &[u8]) -> String {
    text.utf8_chunks().fold(String::new(), |text, chunk| {
        text + chunk.valid() + &chunk.invalid().escape_ascii().to_string()
    })
}

#[track_caller]
fn says(reads: &[&[u8]], messages: &[&str]) {
    let (before, all) = say(reads);
    assert_eq!(before, messages);
    assert_eq!(all, messages, "at the end");
}

/// As [`says`], but the last message is held back until the connection ends.
#[track_caller]
fn holds(reads: &[&[u8]], messages: &[&str]) {
    let (before, all) = say(reads);
    assert_eq!(before, messages[..messages.len() - 1]);
    assert_eq!(all, messages, "at the end");
}

#[test]
fn without_newlines_one_read_is_one_message() {
    says(&[b"hello"], &["hello"]);
    says(
        &[b"hello", b"who", b"  spaces stay \t"],
        &["hello", "who", "  spaces stay \t"],
    );
    says(
        &[&[b'x'; LONGEST], b"rest"],
        &[&"x".repeat(LONGEST), "rest"],
    );
}

#[test]
fn client_that_has_sent_a_newline_sends_lines() {
    says(&[b"one\r\ntwo\nthree\n"], &["one", "two", "three"]);
    says(&[b"\n\r\n\n", b"\r\n"], &[]);
    says(&[b"hello\n", b"wor", b"ld", b"\n"], &["hello", "world"]);
    says(
        &[b"hello\nwor", b"ld\nw", b"ho\n"],
        &["hello", "world", "who"],
    );
    holds(&[b"hello\n", b"wor", b"ld"], &["hello", "world"]);
}

#[test]
fn carriage_return_ends_a_line() {
    says(&[b"one\rtwo\r"], &["one", "two"]);
    says(&[b"one\r\0two\r\0"], &["one", "two"]);
    says(
        &[b"one\r", b"\ntwo\r", b"\0three\r", b"\n"],
        &["one", "two", "three"],
    );
    says(
        &[b"hi\n", b"one\rtw", b"o\r", b"\r\r\n"],
        &["hi", "one", "two"],
    );
    // Single keys.
    holds(
        &[b"one\r", b"t", b"w", b"o", b"\r", b"x"],
        &["one", "two", "x"],
    );
}

#[test]
fn rest_of_a_read_is_held_back_for_a_second_unless_the_client_sends_newlines() {
    for (reads, held) in [
        (&[&b"hello"[..]][..], Held::Nothing),
        (&[b"hello\xe4\xbd"], Held::ForASecond),
        (&[b"one\rtwo"], Held::ForASecond),
        (&[b"one\r"], Held::Nothing),
        (&[b"one\ntwo"], Held::UntilNewline),
        (&[b"one\n", b"two\rthree"], Held::UntilNewline),
        (&[b"one\n"], Held::Nothing),
    ] {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        for bytes in reads {
            read(&mut lines, bytes, &mut said);
        }
        assert_eq!(lines.held(), held, "{reads:?}");
    }
}

#[test]
fn characters_are_not_split_at_the_end_of_a_read() {
    let text = "你好".as_bytes();
    says(&[&text[..4], &text[4..]], &["你", "好"]);
    says(&[&text[..1], &text[1..2], &text[2..]], &["你好"]);
    holds(&[b"caf\xe9"], &["caf", "\\xe9"]);
    // Latin-1, and "hello" in Chinese in GBK: not UTF-8, whatever follows.
    says(&[b"\xe9t\xe9"], &["\\xe9t\\xe9"]);
    says(
        &[b"\xc4\xe3\xba\xc3", b"\xc4\xe3"],
        &["\\xc4\\xe3\\xba\\xc3", "\\xc4\\xe3"],
    );
}

#[test]
fn too_long_line_is_split_between_characters() {
    let long = "x".repeat(LONGEST);
    says(
        &[format!("hi\n{long}yz\n").as_bytes()],
        &["hi", &long, "yz"],
    );
    says(
        &[format!("hi\n{long}\nyz\n").as_bytes()],
        &["hi", &long, "yz"],
    );
    for start in ["", "x", "xx"] {
        let fits = (LONGEST - start.len()) / 3;
        let (head, rest) = (format!("{start}{}", "好".repeat(fits)), "好".repeat(10));
        says(
            &[b"\n", format!("{head}{rest}\n").as_bytes()],
            &[&head, &rest],
        );
    }
    // The end of the buffer is not the end of a line either.
    holds(
        &[
            b"\n",
            format!("{}\ntwo", "x".repeat(LONGEST - 4)).as_bytes(),
        ],
        &[&"x".repeat(LONGEST - 4), "two"],
    );
}

#[test]
fn only_the_start_of_a_line_can_be_a_command() {
    let commands = |reads: &[&[u8]]| {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        for bytes in reads {
            read(&mut lines, bytes, &mut said);
        }
        end(&mut lines, &mut said);
        let commands = said.into_iter().filter(|(_, command)| *command);
        commands.map(|(text, _)| show(&text)).collect::<Vec<_>>()
    };
    let long = "x".repeat(LONGEST);
    let rest = format!("{long}rename|Mallory\nwho\n");
    assert_eq!(commands(&[rest.as_bytes()]), [&long, "who"]);
    assert_eq!(commands(&[b"hi\n", rest.as_bytes()]), ["hi", &long, "who"]);
    assert_eq!(
        commands(&[long.as_bytes(), b"rename|Mallory", b"who"]),
        [&long, "who"]
    );
    // Removing half a character does not turn the rest into a command either.
    assert_eq!(commands(&[b"hi\xc2", b"\x85who"]), ["hi"]);
    assert_eq!(commands(&[b"\xc2", b"\x85who"]), ["who"]);
}

#[test]
fn byte_order_mark_is_dropped_only_at_the_start() {
    says(&[b"\xef\xbb\xbfwho\r\n"], &["who"]);
    says(&[b"\xef", b"\xbb", b"\xbfwho"], &["who"]);
    says(&[b"\xef\xbb\xbf", b"who"], &["who"]);
    says(&[b"\xff\xf1\xef\xbb\xbfwho\n"], &["who"]);
    says(&[b"hi\n\xef\xbb\xbfwho\n"], &["hi", "\u{feff}who"]);
    holds(&[b"\xef\xbb"], &["\\xef\\xbb"]);
}

#[test]
fn telnet_commands_are_dropped() {
    says(&[b"\xff\xf1", b"\xff\xfd\x06"], &[]);
    says(&[b"hi \xff\xfdx\n"], &["hi "]);
    says(
        &[b"h\xff", b"\xf1i\n\xff", b"\xfd", b"\x06w", b"ho\n"],
        &["h", "i", "who"],
    );
    says(
        &[b"\n", b"h\xff", b"\xf1i\n\xff", b"\xfd", b"\x06w", b"ho\n"],
        &["hi", "who"],
    );
}

#[test]
fn control_characters_are_dropped() {
    says(&[b"\x1b[2Jgone\x07\x7f"], &["[2Jgone"]);
    says(
        &["hi\u{85}[1.2.3.4:5]root: forged\n".as_bytes()],
        &["hi[1.2.3.4:5]root: forged"],
    );
    says(
        &["\u{202e}a\u{2028}b\u{2029}c\u{9b}2J\n\0\x01\n".as_bytes()],
        &["abc2J"],
    );
}

const WITH_A_MEANING: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"\r",
    b"\r\0",
    b"who",
    b"rename|x",
    b"\xff",
    b"\xff\xf1",
    b"\xff\xfd\x06",
    b"\xff\xfa\x1f\0\n\xff\xf0",
    b"\xef\xbb\xbf",
    b"\xc2",
    b"\x85",
    b"\xe2\x80",
    b"\xc4\xe3",
    b"\x1b",
];

/// Random input, mostly with bytes that have a meaning.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        4 => "[a-z ]{0,9}".prop_map(String::into_bytes),
        2 => any::<Vec<u8>>(),
        2 => "[\u{80}-\u{9f}你好é—😀\u{2028}-\u{202e}]{1,5}".prop_map(String::into_bytes),
        6 => proptest::sample::select(WITH_A_MEANING).prop_map(<[u8]>::to_vec),
        1 => (4000..5000usize).prop_map(|n| b"x".repeat(n)),
        1 => (1300..1400usize).prop_map(|n| "好".repeat(n).into_bytes()),
    ];
    proptest::collection::vec(fragment, 0..20).prop_map(|fragments| fragments.concat())
}

/// Splits the stream into reads at random places.
fn reads<'a>(bytes: &'a [u8], cuts: &[proptest::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

/// A simple reference implementation: the lines of a stream.
fn lines_of(bytes: &[u8]) -> Vec<Said> {
    let mut text = bytes.to_vec();
    let (length, _) = Telnet::default().remove(&mut text);
    let mut said = Vec::new();
    for line in text[..length].split(is_line_end) {
        let (mut rest, mut is_start) = (line, true);
        while rest.len() >= LONGEST {
            let piece = (LONGEST - 3..=LONGEST).rev().find(|end| {
                let tail = &rest[..*end];
                cut_off(last_bytes(tail)) == 0
            });
            let (piece, more) = rest.split_at(piece.unwrap());
            said.push((clean(piece).into_owned(), is_start));
            (rest, is_start) = (more, false);
        }
        said.push((clean(rest).into_owned(), is_start));
    }
    said.retain(|(text, _)| !text.is_empty());
    said
}

proptest! {
    #[test]
    fn messages_of_a_line_client_do_not_depend_on_the_reads(
        bytes in stream(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
    ) {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        read(&mut lines, b"\n", &mut said);
        for bytes in reads(&bytes, &cuts) {
            read(&mut lines, bytes, &mut said);
        }
        end(&mut lines, &mut said);
        prop_assert_eq!(said, lines_of(&bytes));
    }

    #[test]
    fn messages_are_never_unsafe_empty_or_too_long(
        bytes in stream(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
    ) {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        let mut text = Vec::new();
        let mut telnet = Telnet::default();
        for bytes in reads(&bytes, &cuts) {
            read(&mut lines, bytes, &mut said);
            let mut bytes = bytes.to_vec();
            let (length, _) = telnet.remove(&mut bytes);
            text.extend_from_slice(&bytes[..length]);
        }
        end(&mut lines, &mut said);
        for (message, _) in &said {
            prop_assert!(!message.is_empty() && message.len() <= LONGEST && !message.contains(&0xff));
            let text = String::from_utf8_lossy(message);
            prop_assert!(!text.chars().any(|c| c != '\t' && is_unsafe(c)), "{text:?}");
        }
        // Nothing but unsafe characters and line ends is removed.
        let at_first = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        let all: Vec<u8> = said.into_iter().flat_map(|(text, _)| text).collect();
        prop_assert_eq!(&*clean(&all), &*clean(at_first));
    }

    #[test]
    fn valid_characters_are_never_split(
        text in "[a你é😀]{0,40}",
        cuts: Vec<proptest::sample::Index>,
    ) {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        for bytes in reads(text.as_bytes(), &cuts) {
            read(&mut lines, bytes, &mut said);
        }
        end(&mut lines, &mut said);
        let said: Result<Vec<_>, _> = said.into_iter().map(|(text, _)| String::from_utf8(text)).collect();
        prop_assert_eq!(said.unwrap().concat(), text);
    }
}
