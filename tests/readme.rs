//! The table in docs/differences.md is made from the `// Go:` comments, which are the one place where
//! differences are written down.

use std::fs;
use std::path::{Path, PathBuf};

const START: &str = "<!-- differences -->\n";
const END: &str = "<!-- end of differences -->\n";

#[test]
fn the_table_lists_every_difference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = table(root);
    let path = root.join("docs/differences.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).expect("the table's start is there");
    let (listed, after) = rest.split_once(END).expect("the table's end is there");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, [before, START, &table, END, after].concat()).unwrap();
        return;
    }
    for (got, want) in listed.lines().zip(table.lines()) {
        assert_eq!(
            got, want,
            "generate the table again: UPDATE_README=1 cargo test --test readme"
        );
    }
    assert_eq!(
        listed.lines().count(),
        table.lines().count(),
        "rows in the table and in the code"
    );
}

/// A row for each comment: the program or module, and what the comment says.
fn table(root: &Path) -> String {
    let mut files = Vec::new();
    for folder in ["bin", "src"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let mut table = String::from("| where | what Go does there, and what ours does |\n|---|---|\n");
    for file in files {
        let name = file.strip_prefix(root).unwrap().display().to_string();
        for comment in comments(&fs::read_to_string(&file).unwrap()) {
            table += &format!(
                "| [`{name}`](../{name}) | {} |\n",
                comment.replace('|', "\\|")
            );
        }
    }
    table
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // The load tester and the comparison have no Go original.
            if !path.ends_with("src/lab") && !path.ends_with("src/sidebyside") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// The `// Go:` comments of a source file, each joined to one line.
fn comments(source: &str) -> Vec<String> {
    let mut comments: Vec<String> = Vec::new();
    let mut open = false;
    for line in source.lines().map(str::trim_start) {
        if let Some(text) = line.strip_prefix("// Go: ") {
            comments.push(text.trim_end().to_owned());
            open = true;
        } else if let (true, Some(text)) = (open, line.strip_prefix("// ")) {
            let comment = comments.last_mut().unwrap();
            comment.push(' ');
            comment.push_str(text.trim_end());
        } else {
            open = false;
        }
    }
    comments
}

#[test]
fn a_comment_ends_where_the_code_goes_on() {
    let source =
        "    // Go: one.\n    // And more.\n    code();\n    // Not part of it.\n// Go: two.\n";
    assert_eq!(comments(source), ["one. And more.", "two."]);
}
