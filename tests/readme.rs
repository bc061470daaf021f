//! The table in docs/differences.md is made from the `// Go:` comments, which are the one place where
//! differences are written down.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const START: &str = "<!-- differences -->\n";
const END: &str = "<!-- end of differences -->\n";

#[test]
fn table_lists_every_difference() {
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
        let name = name.replace('\\', "/");
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
fn comment_ends_where_the_code_continues() {
    let source =
        "    // Go: one.\n    // And more.\n    code();\n    // Not part of it.\n// Go: two.\n";
    assert_eq!(comments(source), ["one. And more.", "two."]);
}

/// The Chinese front page has the commands and the links of the English one.
#[test]
fn both_front_pages_have_the_same_commands_and_links() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let english = fs::read_to_string(root.join("README.md")).unwrap();
    let chinese = fs::read_to_string(root.join("docs/README.zh-CN.md")).unwrap();
    assert_eq!(commands(&english), commands(&chinese));
    let (here, there) = (links(&english, root), links(&chinese, &root.join("docs")));
    let only_here: Vec<_> = here.difference(&there).collect();
    let only_there: Vec<_> = there.difference(&here).collect();
    let other_page = [root.join("docs/README.zh-CN.md")];
    assert_eq!(only_here, other_page.iter().collect::<Vec<_>>());
    // It also lists the errors in the published listings.
    let more = [
        root.join("README.md"),
        root.join("tests/originals/mends.rs"),
    ];
    assert_eq!(only_there, more.iter().collect::<Vec<_>>());
    for path in here.union(&there) {
        assert!(path.exists(), "{} is linked and not there", path.display());
    }
}

/// The lines of shell blocks, without their comments, and what stands between backquotes in a table of commands.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_shell = false;
    for line in page.lines() {
        match line {
            "```sh" => in_shell = true,
            "```" => in_shell = false,
            line if in_shell => {
                commands.push(line.split(" #").next().unwrap().trim_end().to_owned())
            }
            line if line.starts_with('|') => {
                let quoted = line.split('`').skip(1).step_by(2);
                let commands_of = |text: &&str| {
                    ["loadtest ", "printf ", "chat_server"]
                        .iter()
                        .any(|start| text.starts_with(start))
                };
                commands.extend(quoted.filter(commands_of).map(str::to_owned));
            }
            _ => {}
        }
    }
    assert!(commands.len() > 8, "{commands:?}");
    commands
}

fn links(page: &str, folder: &Path) -> BTreeSet<PathBuf> {
    let targets = page
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap());
    targets
        .map(|target| match target.strip_prefix("../") {
            Some(target) => folder.parent().unwrap().join(target),
            None => folder.join(target),
        })
        .collect()
}

/// Every long option that a program of the course prints in its help stands in docs/reference.md.
#[test]
fn reference_has_every_option() {
    let reference =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md"))
            .unwrap();
    for program in [
        env!("CARGO_BIN_EXE_chat_server"),
        env!("CARGO_BIN_EXE_file_server"),
        env!("CARGO_BIN_EXE_file_client"),
        env!("CARGO_BIN_EXE_tcp_concurrent_server"),
        env!("CARGO_BIN_EXE_udp_concurrent_client"),
    ] {
        let help = Command::new(program).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let options: Vec<_> = help
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("--"))
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        for option in options {
            let listed = reference.contains(&format!("`--{option} "))
                || reference.contains(&format!("`--{option}`"));
            assert!(
                listed,
                "--{option} of {program} is not in docs/reference.md"
            );
        }
    }
}

/// Each program names itself in its version and in its usage.
#[test]
fn every_program_has_its_own_name() {
    let programs = Path::new(env!("CARGO_BIN_EXE_chat_server"))
        .parent()
        .unwrap();
    let mut checked = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("bin")).unwrap() {
        let source = entry.unwrap().path();
        let name = source.file_stem().unwrap().to_str().unwrap();
        // Of the others there may be an older build.
        let is_built = [
            ("loadtest", cfg!(all(feature = "lab", unix))),
            ("sidebyside", cfg!(feature = "sidebyside")),
        ];
        if is_built.contains(&(name, false)) {
            continue;
        }
        let output = Command::new(programs.join(name))
            .arg("--version")
            .output()
            .unwrap();
        let expected = format!("{name} {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        let output = Command::new(programs.join(name))
            .arg("--no-such-option")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        let usage = format!("Usage: {name}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(&usage), "{name}: {stderr}");
        checked += 1;
    }
    assert!(checked >= 11, "{checked} programs");
}
