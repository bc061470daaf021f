//! The sixteen Go programs of the course's article, as `sidebyside` finds them.

use std::collections::BTreeMap;
use std::path::Path;

use threadline::sidebyside;

/// The text of each original, by its name here: our program's, or `chat_` and the stage.
///
/// # Panics
/// The article cannot be read.
pub(crate) fn originals(article: &Path) -> BTreeMap<String, String> {
    let found = sidebyside::originals(article).unwrap_or_else(|err| panic!("GO_ARTICLE: {err}"));
    let name = |slug: String| slug.replace("chat_server-", "chat_");
    found
        .into_iter()
        .map(|(slug, code)| (name(slug), code))
        .collect()
}

/// The text of the named original.
///
/// # Panics
/// The article cannot be read, or holds no such program.
pub(crate) fn listing(article: &Path, name: &str) -> String {
    let mut originals = originals(article);
    originals.remove(name).unwrap_or_else(|| {
        let found: Vec<_> = originals.keys().collect();
        panic!("GO_ARTICLE has no listing of {name}, only of {found:?}")
    })
}
