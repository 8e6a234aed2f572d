//! One field of the five-tuple as intervals, each with the set of rules that match
//! its values.

use crate::prefix::Span;

const WORD: usize = u64::BITS as usize;

/// A set of rules, bit *n* for rule *n*.
#[derive(Debug)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// The set of `members` out of `rules` rules.
    pub(super) fn new(rules: usize, members: impl Iterator<Item = usize>) -> Bits {
        let mut words = vec![0; rules.div_ceil(WORD)];
        members.for_each(|rule| set(&mut words, rule));
        Bits(words)
    }

    pub(super) fn row(&self) -> &[u64] {
        &self.0
    }
}

fn set(row: &mut [u64], rule: usize) {
    row[rule / WORD] |= 1 << (rule % WORD);
}

/// The lowest rule that is in every one of `rows`.
pub(super) fn intersect<const N: usize>(rows: [&[u64]; N]) -> Option<usize> {
    (0..rows[0].len()).find_map(|word| {
        let common = rows.iter().fold(u64::MAX, |common, row| common & row[word]);
        (common != 0).then(|| word * WORD + common.trailing_zeros() as usize)
    })
}

/// The intervals of one field.
#[derive(Debug)]
pub(super) struct Field<K> {
    /// Where the intervals begin, ascending; the first begins at the lowest value.
    starts: Vec<K>,
    /// The intervals' rows one after another, each `words` long.
    rows: Vec<u64>,
    words: usize,
}

impl<K: Copy + Ord + Default> Field<K> {
    /// Cuts the field where a span of any rule begins or ends. The *n*-th item holds
    /// the spans of rule *n*.
    pub(super) fn new(rules: impl ExactSizeIterator<Item = Vec<Span<K>>>) -> Field<K> {
        let words = rules.len().div_ceil(WORD);
        let rules: Vec<Vec<Span<K>>> = rules.collect();
        let mut starts = vec![K::default()];
        for (first, end) in rules.iter().flatten() {
            starts.push(*first);
            starts.extend(*end);
        }
        starts.sort_unstable();
        starts.dedup();

        let mut rows = vec![0; starts.len() * words];
        for (rule, spans) in rules.iter().enumerate() {
            for (first, end) in spans {
                let from = starts.partition_point(|start| start < first);
                let to = match end {
                    Some(end) => starts.partition_point(|start| start < end),
                    None => starts.len(),
                };
                for row in rows[from * words..to * words].chunks_exact_mut(words) {
                    set(row, rule);
                }
            }
        }
        Field { starts, rows, words }
    }

    /// The rules that match `value`.
    pub(super) fn row(&self, value: K) -> &[u64] {
        // The first start is the lowest value, so at least one is not above `value`.
        let interval = self.starts.partition_point(|start| *start <= value) - 1;
        &self.rows[interval * self.words..][..self.words]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_gets_the_rules_whose_spans_hold_it() {
        let rules = [vec![(10u16, Some(20))], vec![(0, None)], vec![(15, Some(16))]];
        let field = Field::new(rules.into_iter());
        let expected = [(0, 0b010), (9, 0b010), (10, 0b011), (15, 0b111), (20, 0b010)];
        for (value, rules) in expected {
            assert_eq!(field.row(value), [rules], "{value}");
        }
        assert_eq!(field.row(u16::MAX), [0b010]);
    }

    #[test]
    fn the_lowest_common_rule_may_be_in_a_later_word() {
        let early = Bits::new(130, [3, 129].into_iter());
        let late = Bits::new(130, [4, 129].into_iter());
        assert_eq!(intersect([early.row(), late.row()]), Some(129));
        assert_eq!(intersect([early.row(), Bits::new(130, [5].into_iter()).row()]), None);
    }
}
