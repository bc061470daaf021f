//! The Go listings of a Markdown text: its fenced code blocks in the language `go`.

/// One fenced code block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What the text calls it: the file name on the line above the fence, or else the heading
    /// that it stands under. Empty where there is neither.
    pub title: String,
    /// The line of the text on which its code starts, counted from 1.
    pub line: usize,
    /// The code, without the fences and without the indent that the fence itself has.
    pub code: String,
}

impl Listing {
    /// How many lines of code it has.
    pub fn lines(&self) -> usize {
        self.code.lines().count()
    }
}

/// Finds every fenced block whose language is `go` or `golang`, in the order of the text.
///
/// A fence is three or more backticks or tildes, at any indent; it is closed by as many of the same
/// or by the end of the text, as CommonMark has it.
pub fn listings(markdown: &str) -> Vec<Listing> {
    let mut found = Vec::new();
    let mut heading = "";
    let mut above = "";
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let text = line.trim();
        let Some(fence) = Fence::open(line) else {
            if let Some(words) = heading_text(text) {
                heading = words;
                above = "";
            } else if !text.is_empty() {
                above = text;
            }
            continue;
        };
        let mut code = String::new();
        for (_, line) in lines.by_ref() {
            if fence.closed_by(line) {
                break;
            }
            code.push_str(fence.unindent(line));
            code.push('\n');
        }
        if matches!(fence.language.as_str(), "go" | "golang") {
            let title = file_name(above).unwrap_or(heading).to_owned();
            found.push(Listing {
                title,
                line: number + 2,
                code,
            });
        }
        above = "";
    }
    found
}

struct Fence {
    indent: usize,
    mark: char,
    length: usize,
    language: String,
}

impl Fence {
    fn open(line: &str) -> Option<Fence> {
        let text = line.trim_start();
        let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = text.trim_start_matches(mark);
        let length = text.len() - info.len();
        // Three backticks that open and close on one line are code in a sentence, not a fence.
        if length < 3 || info.contains('`') {
            return None;
        }
        let language = info
            .trim_start()
            .split(|c: char| c.is_whitespace() || matches!(c, '{' | ','))
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        Some(Fence {
            indent: line.len() - text.len(),
            mark,
            length,
            language,
        })
    }

    fn closed_by(&self, line: &str) -> bool {
        let text = line.trim();
        text.len() >= self.length && text.chars().all(|c| c == self.mark)
    }

    fn unindent<'a>(&self, line: &'a str) -> &'a str {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        &line[blank.min(self.indent)..]
    }
}

fn heading_text(text: &str) -> Option<&str> {
    let words = text.trim_start_matches('#');
    let level = text.len() - words.len();
    (1..=6)
        .contains(&level)
        .then(|| words.trim().trim_end_matches([':', '：', '#', ' ']))
}

/// The name of a Go file, where the line is nothing else.
fn file_name(line: &str) -> Option<&str> {
    let name = line.trim_matches(['*', '`', ' ', ':', '：']);
    (name.ends_with(".go") && !name.contains(char::is_whitespace)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_blocks_are_found_with_their_titles_and_lines() {
        let text = "# One: \n\ntalk\n```go\na\n\nb\n```\n**two.go**:\n\n```golang\nc\n```\n```rust\nd\n```\n";
        let found = listings(text);
        assert_eq!(
            found,
            [
                Listing {
                    title: "One".into(),
                    line: 5,
                    code: "a\n\nb\n".into()
                },
                Listing {
                    title: "two.go".into(),
                    line: 12,
                    code: "c\n".into()
                },
            ]
        );
        assert_eq!(found[0].lines(), 3);
    }

    #[test]
    fn fences_may_be_indented_longer_or_of_tildes_and_the_last_may_stay_open() {
        let text =
            "- item\n  ````go\n  a\n  ```\n\n    b\n  ````\n\n~~~ Go {.numbers}\nc\n~~~\n```go\nd";
        let code: Vec<_> = listings(text)
            .into_iter()
            .map(|l| (l.line, l.code))
            .collect();
        assert_eq!(
            code,
            [
                (3, "a\n```\n\n  b\n".to_owned()),
                (10, "c\n".to_owned()),
                (13, "d\n".to_owned())
            ]
        );
    }

    #[test]
    fn code_in_a_sentence_and_other_languages_are_not_listings() {
        assert_eq!(
            listings("```go x``` is inline\n\n    ```\n    go\n    ```\n"),
            []
        );
        assert_eq!(listings(""), []);
    }

    #[test]
    fn a_title_does_not_outlive_the_listing_or_the_heading_it_stands_above() {
        let text = "a.go\n```go\n1\n```\n```go\n2\n```\nb.go\n## Next\n```go\n3\n```\n";
        let titles: Vec<_> = listings(text).into_iter().map(|l| l.title).collect();
        assert_eq!(titles, ["a.go", "", "Next"]);
    }
}
