//! Pairing the lines of a listing with lines of ours, by dynamic programming.
//!
//! Of all pairings in which both sides go on in their order, the one is taken in which the pairs are the
//! most alike in sum, as in a longest common subsequence.

/// The Rust line that each of `go` lines is paired with, of `rust` lines. `similarity` says how alike two lines
/// are; 0 is for those that can be no pair.
pub fn align(
    go: usize,
    rust: usize,
    similarity: impl Fn(usize, usize) -> u32,
) -> Vec<Option<usize>> {
    // rows[r][g]: the best sum of the first r lines of ours and the first g of the listing.
    let mut rows = vec![vec![0; go + 1]];
    for r in 0..rust {
        let before = &rows[r];
        let mut row = before.clone();
        for g in 0..go {
            let alike = similarity(g, r);
            let paired = if alike > 0 { before[g] + alike } else { 0 };
            row[g + 1] = row[g + 1].max(row[g]).max(paired);
        }
        rows.push(row);
    }
    let mut partners = vec![None; go];
    let mut g = go;
    for r in (0..rust).rev() {
        while g > 0 && rows[r + 1][g] == rows[r + 1][g - 1] {
            g -= 1;
        }
        // Of pairs that are as good, the one with our later line: what opens a block stands by the block.
        let alike = if g > 0 { similarity(g - 1, r) } else { 0 };
        if alike > 0 && rows[r + 1][g] == rows[r][g - 1] + alike {
            g -= 1;
            partners[g] = Some(r);
        }
    }
    partners
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The letters that pair, where equal letters are alike, and capitals the more so.
    fn letters(go: &str, rust: &str) -> String {
        let (go, rust) = (go.as_bytes(), rust.as_bytes());
        let alike = |g: usize, r: usize| match (go[g] == rust[r], go[g].is_ascii_uppercase()) {
            (false, _) => 0,
            (true, capital) => 10 + 90 * u32::from(capital),
        };
        let partners = align(go.len(), rust.len(), alike);
        let paired = (0..go.len()).filter(|g| partners[*g].is_some());
        paired.map(|g| go[g] as char).collect()
    }

    #[test]
    fn lines_pair_in_order_and_others_stay_unpaired() {
        assert_eq!(letters("abcde", "xbyde"), "bde");
        assert_eq!(letters("abc", "cab"), "ab");
        assert_eq!(letters("aBc", "cBa"), "B");
        assert_eq!(letters("", "ab"), "");
        assert_eq!(letters("ab", ""), "");
    }

    proptest! {
        #[test]
        fn pairs_are_in_order_and_none_are_more_alike_in_sum(
            go in 0..6_usize,
            rust in 0..6_usize,
            table in prop::collection::vec(prop_oneof![Just(0), 0..40_u32], 36),
        ) {
            fn best(go: usize, rust: usize, table: &[u32]) -> u32 {
                if go == 0 || rust == 0 {
                    return 0;
                }
                let paired = best(go - 1, rust - 1, table) + table[(go - 1) * 6 + rust - 1];
                paired.max(best(go - 1, rust, table)).max(best(go, rust - 1, table))
            }
            let alike = |g: usize, r: usize| table[g * 6 + r];
            let partners = align(go, rust, alike);
            let pairs = (0..go).filter_map(|g| Some((g, partners[g]?)));
            let pairs: Vec<(usize, usize)> = pairs.collect();
            prop_assert!(pairs.iter().all(|&(g, r)| alike(g, r) > 0));
            prop_assert!(pairs.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            let sum: u32 = pairs.iter().map(|&(g, r)| alike(g, r)).sum();
            prop_assert_eq!(sum, best(go, rust, &table));
        }
    }
}
