//! The Go listings of a Markdown text: its code blocks in the language `go`.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A code block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What the text calls it: the file name on the line above the fence, or else the heading
    /// that it stands under. Empty where there is neither.
    pub title: String,
    /// The line of the text on which its code starts, counted from 1.
    pub line: usize,
    /// The code, without the fences and without their indent.
    pub code: String,
}

impl Listing {
    /// The first line that says something.
    pub fn first_line(&self) -> &str {
        let mut lines = self.code.lines().map(str::trim);
        lines.find(|line| !line.is_empty()).unwrap_or_default()
    }
}

/// Finds the code blocks in Go, and what looks like Go and is not in such a block, in the order of
/// the text. What a code block is, says CommonMark.
pub fn listings(markdown: &str) -> (Vec<Listing>, Vec<Listing>) {
    let (mut found, mut unmarked) = (Vec::new(), Vec::new());
    let mut heading = String::new();
    // The end of the block or the heading before.
    let mut last = 0;
    let listing = |title: &str, start: usize, code: &str| Listing {
        title: title.to_owned(),
        line: 1 + markdown[..start].matches('\n').count(),
        code: code.to_owned(),
    };
    let mut events =
        Parser::new_ext(markdown, Options::ENABLE_YAML_STYLE_METADATA_BLOCKS).into_offset_iter();
    while let Some((event, range)) = events.next() {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                let inner = events.by_ref().map_while(|(event, _)| match event {
                    Event::End(TagEnd::Heading(_)) => None,
                    Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => {
                        Some(text.into_string())
                    }
                    _ => Some(String::new()),
                });
                heading = inner.collect();
                heading.truncate(heading.trim_end_matches([':', '：', ' ']).len());
                last = range.end;
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let mut code = String::new();
                let mut start = None;
                for (event, part) in events.by_ref() {
                    match event {
                        Event::Text(text) => {
                            start.get_or_insert(part.start);
                            code.push_str(&text);
                        }
                        _ => break,
                    }
                }
                let title = file_name(&markdown[last..range.start]).unwrap_or(&heading);
                let listing = listing(title, start.unwrap_or(range.start), &code);
                match kind {
                    CodeBlockKind::Fenced(info) if is_go(&info) => found.push(listing),
                    _ if looks_like_go(&code) => unmarked.push(listing),
                    _ => {}
                }
                last = range.end;
            }
            Event::Html(_) | Event::Text(_) | Event::InlineHtml(_) => {
                for line in markdown[range.clone()].lines() {
                    // What a tag like `<code>` precedes.
                    let code = line.rsplit('>').next().unwrap_or(line).trim();
                    if code == "package main" {
                        unmarked.push(listing(&heading, range.start, code));
                    }
                }
            }
            _ => {}
        }
    }
    (found, unmarked)
}

/// Whether what stands behind a fence names Go as the language: `go`, `Go {.numbers}`, `{.go}`,
/// `go=12`, `go{1,3}`, `go:main.go`.
fn is_go(info: &str) -> bool {
    let braces = info.trim_start().starts_with('{');
    let ends = |c: char| c.is_whitespace() || "{}[](),:;=!\"'".contains(c);
    let mut words = info.split(ends).filter(|word| !word.is_empty());
    let first = words.next().into_iter();
    let classes = words.filter(|word| braces && word.starts_with('.'));
    first.chain(classes).any(|word| {
        let word = word.trim_start_matches('.').to_ascii_lowercase();
        let word = word.strip_prefix("lang-").unwrap_or(&word);
        matches!(
            word.strip_prefix("language-").unwrap_or(word),
            "go" | "golang"
        )
    })
}

fn looks_like_go(code: &str) -> bool {
    code.lines().map(str::trim_end).any(|line| {
        let package = line.trim_start().strip_prefix("package ");
        let word = |name: &str| name.chars().all(|c| c == '_' || c.is_alphanumeric());
        package.is_some_and(word) || line.starts_with("func ") && line.ends_with('{')
    })
}

/// The name of a Go file, where the last line of a text is nothing else.
fn file_name(text: &str) -> Option<&str> {
    let bare = |line| str::trim_matches(line, ['*', '`', ' ', '\t', '>', ':', '：']);
    let name = text.lines().map(bare).rfind(|line| !line.is_empty())?;
    (name.ends_with(".go") && !name.contains(char::is_whitespace)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(markdown: &str) -> Vec<(usize, String, String)> {
        let found = listings(markdown).0.into_iter();
        found.map(|l| (l.line, l.title, l.code)).collect()
    }

    fn codes(markdown: &str) -> Vec<(usize, String)> {
        let found = listings(markdown).0.into_iter();
        found.map(|l| (l.line, l.code)).collect()
    }

    #[test]
    fn go_blocks_are_found_with_their_titles_and_lines() {
        let text = "# One: \n\ntalk\n```go\na\n\nb\n```\n**two.go**:\n\n```golang\nc\n```\n```rust\nd\n```\n";
        let expected = [(5, "One", "a\n\nb\n"), (12, "two.go", "c\n")];
        let expected = expected.map(|(line, title, code)| (line, title.into(), code.into()));
        assert_eq!(go(text), expected);
        assert_eq!(go(&text.replace('\n', "\r\n")), expected, "with CRLF");
    }

    #[test]
    fn indented_long_and_tilde_fences_are_found_and_the_last_may_stay_open() {
        let text =
            "- item\n  ````go\n  a\n  ```\n\n    b\n  ````\n\n~~~ Go {.numbers}\nc\n~~~\n```go\nd";
        let expected = [(3, "a\n```\n\n  b\n"), (10, "c\n"), (13, "d")];
        assert_eq!(
            codes(text),
            expected.map(|(line, code)| (line, code.into()))
        );
        let quoted = "> a.go\n> ```go\n> \ta\n> ```\n\n1. item\n\n\t```go\n\tb\n\t```\n";
        let expected = [(3, "a.go", "\ta\n"), (9, "", "b\n")];
        let expected = expected.map(|(line, title, code)| (line, title.into(), code.into()));
        assert_eq!(go(quoted), expected);
    }

    #[test]
    fn info_string_may_have_attributes_after_the_language() {
        for info in [
            "go",
            " Golang ",
            "go=",
            "go=12",
            "go!",
            "go{1,3}",
            "go {.numbers}",
            "{.go}",
            "{go}",
            "{#id .x .go}",
            "go:main.go",
            "go,ignore",
            "go title=\"a\"",
            "language-go",
        ] {
            assert_eq!(codes(&format!("```{info}\na\n```\n")).len(), 1, "{info}");
        }
        for info in [
            "",
            "golf",
            "go.mod",
            "go-template",
            "rust go",
            "{.rust title=go}",
            "text=go",
        ] {
            assert_eq!(codes(&format!("```{info}\na\n```\n")).len(), 0, "{info}");
        }
    }

    #[test]
    fn go_code_in_other_blocks_is_listed() {
        let text = "# T\n\n```\npackage main\n```\n\n    package p\n\n```text\nfunc f() {\n```\n\
                    <pre><code>package main\n</code></pre>\n\n{% code %}\npackage main\n{% end %}\n\
                    ```java\npackage a.b;\n```\n```rust\nfn f() {\n```\n";
        let (found, unmarked) = listings(text);
        assert_eq!(found, []);
        let lines: Vec<_> = unmarked.iter().map(|l| (l.line, &l.title[..])).collect();
        assert_eq!(lines, [(4, "T"), (7, "T"), (10, "T"), (12, "T"), (16, "T")]);
    }

    #[test]
    fn inline_code_and_other_languages_are_not_listings() {
        let text = "```go x``` is inline\n\n    ```\n    go\n    ```\n";
        assert_eq!(listings(text), (Vec::new(), Vec::new()));
        assert_eq!(listings(""), (Vec::new(), Vec::new()));
    }

    #[test]
    fn title_applies_to_one_listing_below_its_heading() {
        let text = "a.go\n```go\n1\n```\n```go\n2\n```\nb.go\n## Next\n```go\n3\n```\n";
        let titles: Vec<_> = go(text).into_iter().map(|l| l.1).collect();
        assert_eq!(titles, ["a.go", "", "Next"]);
    }
}
