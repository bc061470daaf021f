//! Holds a JSON value against the part of JSON Schema that `record.schema.json` uses. A keyword that
//! is not known here fails the test, so that nothing in the schema goes unchecked.

use serde_json::{Map, Value};

/// What does not fit, each with its place.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "$", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = schema.as_object().expect("a schema is an object");
    for (keyword, wanted) in schema {
        let fits = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let path = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                let target = root.pointer(path).expect("the reference leads somewhere");
                check(root, target, value, at, faults);
                true
            }
            "anyOf" => wanted.as_array().unwrap().iter().any(|one| {
                let mut faults = Vec::new();
                check(root, one, value, at, &mut faults);
                faults.is_empty()
            }),
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|one| is_of(value, one)),
                one => is_of(value, one),
            },
            "minimum" => value.as_f64().is_none_or(|n| n >= wanted.as_f64().unwrap()),
            "minItems" => length(value) >= wanted.as_u64(),
            "maxItems" => length(value) <= wanted.as_u64(),
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, item, &format!("{at}[{i}]"), faults);
                }
                true
            }
            "properties" => {
                for (name, one) in wanted.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        check(root, one, member, &format!("{at}.{name}"), faults);
                    }
                }
                true
            }
            "required" => {
                let missing = |name: &&Value| value.get(name.as_str().unwrap()).is_none();
                wanted.as_array().unwrap().iter().find(missing).is_none()
            }
            "additionalProperties" => {
                assert_eq!(wanted, &Value::Bool(false), "all that is used here");
                let known = schema["properties"].as_object().unwrap();
                let members = value.as_object().into_iter().flat_map(Map::keys);
                members.into_iter().all(|name| known.contains_key(name))
            }
            other => panic!("{at}: this test does not know the keyword {other}"),
        };
        if !fits {
            let value: String = value.to_string().chars().take(200).collect();
            faults.push(format!(
                "{at}: {keyword} {wanted} does not hold for {value}"
            ));
        }
    }
}

fn is_of(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("this test does not know the type {other}"),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_array().map(|items| items.len() as u64)
}

#[test]
fn what_does_not_fit_is_seen() {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 0},
            "list": {"type": "array", "items": {"$ref": "#/$defs/one"}, "maxItems": 2},
            "maybe": {"anyOf": [{"type": "null"}, {"enum": ["a", "b"]}]},
        },
        "required": ["n"],
        "additionalProperties": false,
        "$defs": {"one": {"type": ["string", "null"]}},
    });
    let fits = |value: Value| faults(&schema, &value).is_empty();
    assert!(fits(
        serde_json::json!({"n": 1, "list": ["x", null], "maybe": "b"})
    ));
    for bad in [
        serde_json::json!([]),
        serde_json::json!({}),
        serde_json::json!({"n": -1}),
        serde_json::json!({"n": 0.5}),
        serde_json::json!({"n": 1, "more": 1}),
        serde_json::json!({"n": 1, "list": [1]}),
        serde_json::json!({"n": 1, "list": ["x", "x", "x"]}),
        serde_json::json!({"n": 1, "maybe": "c"}),
    ] {
        assert!(!fits(bad.clone()), "{bad} was taken");
    }
}
