//! Seeds and what is done to them: bytes, words and lines are changed, taken away,
//! doubled, and mixed with those of other seeds.

use std::fmt;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// The seeds, and every word in them.
struct Corpus {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

/// A seed and its changes.
#[derive(Clone)]
pub(crate) struct Input {
    corpus: Arc<Corpus>,
    seed: Index,
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    /// A byte becomes another one.
    Byte(Index, u8),
    /// Text that no seed has is put in.
    Insert(Index, Vec<u8>),
    /// A word becomes another seed's word.
    Word(Index, Index),
    /// A line is put before another one, once or many times.
    Copy(Index, Index, u8),
    /// A line goes.
    Delete(Index),
    /// Everything behind goes.
    Cut(Index),
    /// The rest is another seed's.
    Splice(Index, Index),
}

/// What is made of the seeds.
pub(crate) fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Input> {
    let mut words: Vec<Vec<u8>> =
        seeds.iter().flat_map(|seed| pieces(seed)).filter(|word| is_word(word)).collect();
    words.sort();
    words.dedup();
    let odd = [
        &b"\0"[..],
        b"\xff",
        b"\r\n",
        b"\"",
        b"'",
        b"\\",
        b"#",
        b"!",
        b"*",
        b"4294967296",
    ];
    words.extend(odd.map(<[u8]>::to_vec));
    let corpus = Arc::new(Corpus { seeds, words });
    let index = any::<Index>;
    let change = prop_oneof![
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => (index(), vec(any::<u8>(), 1..6)).prop_map(|(at, text)| Change::Insert(at, text)),
        8 => (index(), index()).prop_map(|(at, word)| Change::Word(at, word)),
        3 => (index(), index(), 1u8..5).prop_map(|(from, to, n)| Change::Copy(from, to, n)),
        2 => index().prop_map(Change::Delete),
        1 => index().prop_map(Change::Cut),
        1 => (index(), index()).prop_map(|(at, seed)| Change::Splice(at, seed)),
    ];
    (any::<Index>(), vec(change, 0..12)).prop_map(move |(seed, changes)| Input {
        corpus: Arc::clone(&corpus),
        seed,
        changes,
    })
}

impl Input {
    /// The seed with its changes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.seed.get(&self.corpus.seeds).clone();
        for change in &self.changes {
            self.corpus.change(&mut bytes, change);
        }
        bytes
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.bytes().escape_ascii())
    }
}

impl Corpus {
    fn change(&self, bytes: &mut Vec<u8>, change: &Change) {
        if bytes.is_empty() {
            return;
        }
        match change {
            Change::Byte(at, byte) => *at.get_mut(bytes) = *byte,
            Change::Insert(at, text) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, text.iter().copied());
            }
            Change::Word(at, word) => {
                let mut all = pieces(bytes);
                *at.get_mut(&mut all) = word.get(&self.words).clone();
                *bytes = all.concat();
            }
            Change::Copy(from, to, count) => {
                let mut lines = lines(bytes);
                let (line, to) = (from.get(&lines).clone(), to.index(lines.len() + 1));
                let copies = std::iter::repeat_n(line, 1 << (count * 2));
                lines.splice(to..to, copies.take(256));
                *bytes = lines.concat();
            }
            Change::Delete(at) => {
                let mut lines = lines(bytes);
                lines.remove(at.index(lines.len()));
                *bytes = lines.concat();
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Splice(at, seed) => {
                let other = seed.get(&self.seeds);
                bytes.truncate(at.index(bytes.len()));
                let rest = other.len().min(bytes.len());
                bytes.extend_from_slice(&other[rest..]);
            }
        }
        // Repeated copies must not make inputs that no reader is asked to take.
        bytes.truncate(1 << 18);
    }
}

fn is_word(piece: &[u8]) -> bool {
    piece.iter().any(|byte| byte.is_ascii_alphanumeric())
}

/// Words, and what stands between them.
fn pieces(bytes: &[u8]) -> Vec<Vec<u8>> {
    let kind = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-@/:".contains(byte);
    bytes.chunk_by(|a, b| kind(a) == kind(b)).map(<[u8]>::to_vec).collect()
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}
