//! A tree of hashes: one root names many leaves, and a path of siblings shows that a leaf is under
//! it. Leaves and nodes are hashed apart (RFC 6962, section 2.1), so neither passes for the other;
//! the last of an odd number goes up as it is.

use p2p_types::Hash;

/// The hash of a leaf.
#[must_use]
pub fn leaf(content: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[0]).update(content);
    Hash(*hasher.finalize().as_bytes())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[1]).update(&left.0).update(&right.0);
    Hash(*hasher.finalize().as_bytes())
}

/// All levels of a tree, from the leaves up.
#[derive(Debug, Clone)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    #[must_use]
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above =
                level.chunks(2).map(|pair| pair.get(1).map_or(pair[0], |right| node(&pair[0], right))).collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// Of no leaves, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or_else(|| Hash::of(b""))
    }

    /// The siblings that lead from a leaf up to the root.
    #[must_use]
    pub fn path(&self, index: usize) -> Vec<Hash> {
        let sibling = |(height, level): (usize, &Vec<Hash>)| level.get((index >> height) ^ 1).copied();
        self.levels.iter().enumerate().filter_map(sibling).collect()
    }
}

/// The root that a leaf at `index` of `count` leaves has with these siblings; `None` where they are
/// too many or too few.
#[must_use]
pub fn climb(leaf: Hash, index: u32, count: u32, siblings: &[Hash]) -> Option<Hash> {
    if index >= count {
        return None;
    }
    let (mut hash, mut index, mut width, mut siblings) = (leaf, index, count, siblings.iter());
    while width > 1 {
        let alone = index == width - 1 && index % 2 == 0;
        if !alone {
            let sibling = siblings.next()?;
            hash = if index % 2 == 0 { node(&hash, sibling) } else { node(sibling, &hash) };
        }
        index /= 2;
        width = width.div_ceil(2);
    }
    siblings.next().is_none().then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_leads_to_the_root_and_nothing_else_does() {
        for count in 1..=33_u32 {
            let leaves: Vec<Hash> = (0..count).map(|number| leaf(&number.to_le_bytes())).collect();
            let tree = Tree::new(leaves.clone());
            let root = tree.root();
            for index in 0..count {
                let mut siblings = tree.path(index as usize);
                let hash = leaves[index as usize];
                assert_eq!(climb(hash, index, count, &siblings), Some(root), "{index} of {count}");
                assert_ne!(climb(leaf(b"other"), index, count, &siblings), Some(root));
                assert_eq!(climb(hash, count, count, &siblings), None);
                siblings.push(hash);
                assert_eq!(climb(hash, index, count, &siblings), None, "one sibling too many");
            }
        }
        assert_eq!(Tree::new(Vec::new()).root(), Hash::of(b""));
    }
}
