//! The comparisons as JSON.

use std::fs;

use serde_json::Value;

use crate::{COURSE, printed, run, stderr};

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().expect("it is an array")
}

fn number(value: &Value) -> usize {
    value.as_u64().expect("it is a number") as usize
}

#[test]
fn every_go_line_that_counts_is_in_a_pair_a_gap_or_a_note() {
    let json: Value = serde_json::from_str(&printed(&[COURSE, "--json", "-"])).expect("JSON");
    assert_eq!(json["schema"], 1);
    let programs = array(&json, "programs");
    let names: Vec<&Value> = programs.iter().map(|program| &program["name"]).collect();
    assert_eq!(names, ["tcp_client", "file_stat"]);
    let course = fs::read_to_string(COURSE).expect("the course is there");
    let root = env!("CARGO_MANIFEST_DIR");
    let line = |text: &str, number: usize| -> String {
        let line = text.lines().nth(number - 1);
        line.expect("there is such a line").trim().to_owned()
    };
    for (program, count) in programs.iter().zip([14, 6]) {
        let mut go: Vec<usize> = Vec::new();
        for pair in array(program, "pairs") {
            let file = pair["rust_file"].as_str().expect("it is a path");
            let file = fs::read_to_string(format!("{root}/{file}")).expect("it is there");
            assert_eq!(pair["rust_text"], line(&file, number(&pair["rust_line"])));
            assert_eq!(pair["go_text"], line(&course, number(&pair["go_line"])));
            go.push(number(&pair["go_line"]));
        }
        go.extend(
            array(program, "gaps")
                .iter()
                .map(|gap| number(&gap["go_line"])),
        );
        for note in array(program, "notes") {
            assert!(
                note["text"].is_string() && note["rust_line"].is_u64(),
                "{note}"
            );
            go.extend(array(note, "go_lines").iter().map(number));
        }
        go.sort_unstable();
        go.dedup();
        assert_eq!(go.len(), count, "{program:#}");
        assert!(program["score"].is_f64() && program["checked"].is_null());
    }
    let gaps = array(&programs[0], "gaps");
    assert_eq!(gaps[0]["go_text"], "celebrate()");
}

#[test]
fn json_goes_into_a_file_for_one_program_too() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let file = dir.path().join("pairs.json");
    let path = file.to_str().expect("the path is UTF-8");
    assert_eq!(printed(&[COURSE, "file_stat", "--json", path]), "");
    let json = fs::read(&file).expect("it was written");
    let json: Value = serde_json::from_slice(&json).expect("it is JSON");
    assert_eq!(array(&json, "programs").len(), 1);

    let output = run(&[COURSE, "--json", dir.path().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1), "{output:#?}");
    assert!(stderr(&output).starts_with("error: cannot write "));
}
