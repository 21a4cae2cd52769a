//! Random trees of tokens, rotations and invitations: after a revocation, nothing of the tree of the
//! revoked token is active.

use super::*;
use crate::Instant;
use proptest::prelude::*;
use std::convert::Infallible;

/// A token of the model. Its ancestors are kept in full, independent of the links.
#[derive(Debug, Clone)]
struct Node {
    id: TokenId,
    made_by: Option<usize>,
    replaces: Option<usize>,
    is_active: bool,
    ancestors: BTreeSet<usize>,
}

/// An invitation of the model.
#[derive(Debug, Clone)]
struct Invitation {
    made_by: usize,
    is_open: bool,
    ancestors: BTreeSet<usize>,
}

/// An operation. Numbers select an active token.
#[derive(Debug, Clone, Copy)]
enum Operation {
    /// A user creates a token in a browser.
    Root,
    /// A token creates another.
    Create(usize),
    /// A token invites a user.
    Invite(usize),
    /// A token is rotated: by itself, by another, or in a browser.
    Rotate(usize, Option<usize>),
    /// A token is revoked.
    Revoke(usize),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let any = || 0..1_000_usize;
    let operation = prop_oneof![
        1 => Just(Operation::Root),
        6 => any().prop_map(Operation::Create),
        2 => any().prop_map(Operation::Invite),
        3 => (any(), proptest::option::of(any()))
            .prop_map(|(old, by)| Operation::Rotate(old, by)),
        1 => any().prop_map(Operation::Revoke),
    ];
    proptest::collection::vec(operation, 1..40)
}

#[derive(Debug, Default)]
struct Model {
    nodes: Vec<Node>,
    invitations: Vec<Invitation>,
}

impl Links for &Model {
    type Error = Infallible;

    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Infallible> {
        let is_of = |node: &&Node| {
            node.made_by
                .is_some_and(|at| ids.contains(&self.nodes[at].id))
        };
        let children = self.nodes.iter().filter(is_of);
        Ok(children.map(|node| node.id.clone()).collect())
    }
}

impl Model {
    fn pick(&self, number: usize) -> Option<usize> {
        let active = self.nodes.iter().enumerate();
        let active: Vec<_> = active.filter(|(_, node)| node.is_active).collect();
        let (at, _) = active.get(number.checked_rem(active.len())?)?;
        Some(*at)
    }

    fn add(&mut self, made_by: Option<usize>, replaces: Option<usize>) -> usize {
        let at = self.nodes.len();
        let mut seed = [0; 10];
        seed[..8].copy_from_slice(&(at as u64).to_be_bytes());
        self.nodes.push(Node {
            id: TokenId::new(Instant::UNIX_EPOCH, seed),
            made_by,
            replaces,
            is_active: true,
            ancestors: made_by
                .map(|by| self.with_ancestors(by))
                .unwrap_or_default(),
        });
        at
    }

    fn with_ancestors(&self, at: usize) -> BTreeSet<usize> {
        let mut all = self.nodes[at].ancestors.clone();
        all.insert(at);
        all
    }

    fn rotate(&mut self, old: usize, by: Option<usize>) {
        let is_replaced = self.nodes.iter().any(|node| node.replaces == Some(old));
        let maker = self.nodes[old].made_by;
        // A token rotates neither those that created it nor those of another creator.
        let is_refused = by.is_some_and(|by| {
            let is_of_another = maker.is_some_and(|maker| maker != by);
            by != old && (is_of_another || self.nodes[by].ancestors.contains(&old))
        });
        if is_replaced || is_refused {
            return;
        }
        let maker = match by {
            Some(by) if by != old => Some(by),
            _ => self.nodes[old].made_by,
        };
        let new = self.add(maker, Some(old));
        let mut ancestors = self.nodes[old].ancestors.clone();
        if let Some(by) = by.filter(|by| *by != old) {
            ancestors.extend(self.with_ancestors(by));
        }
        self.nodes[new].ancestors = ancestors;
        // Children and invitations go to the successor.
        for at in (0..self.nodes.len()).filter(|at| *at != new) {
            if self.nodes[at].made_by == Some(old) {
                self.nodes[at].made_by = Some(new);
            }
            pass_on(&mut self.nodes[at].ancestors, old, new);
        }
        for invitation in &mut self.invitations {
            if invitation.made_by == old {
                invitation.made_by = new;
            }
            pass_on(&mut invitation.ancestors, old, new);
        }
    }

    fn revoke(&mut self, at: usize) {
        let root = self.nodes[at].id.clone();
        let all = match descendants(&mut &*self, std::slice::from_ref(&root)) {
            Ok(all) => all,
            Err(never) => match never {},
        };
        let is_ended = |node: &Node| node.id == root || all.contains(&node.id);
        for invitation in &mut self.invitations {
            if is_ended(&self.nodes[invitation.made_by]) {
                invitation.is_open = false;
            }
        }
        for node in &mut self.nodes {
            node.is_active &= !is_ended(node);
        }
    }

    fn apply(&mut self, operation: Operation) -> Option<()> {
        match operation {
            Operation::Root => {
                self.add(None, None);
            }
            Operation::Create(by) => {
                let by = self.pick(by)?;
                self.add(Some(by), None);
            }
            Operation::Invite(by) => {
                let by = self.pick(by)?;
                self.invitations.push(Invitation {
                    made_by: by,
                    is_open: true,
                    ancestors: self.with_ancestors(by),
                });
            }
            Operation::Rotate(old, by) => {
                let old = self.pick(old)?;
                let by = by.and_then(|by| self.pick(by));
                self.rotate(old, by);
            }
            Operation::Revoke(at) => {
                let at = self.pick(at)?;
                self.revoke(at);
                self.assert_ended(at);
            }
        }
        Some(())
    }

    /// Nothing that descends from a revoked token is active.
    fn assert_ended(&self, revoked: usize) {
        assert!(!self.nodes[revoked].is_active);
        for node in &self.nodes {
            let is_of = node.ancestors.contains(&revoked);
            assert!(!(is_of && node.is_active), "{revoked}: {self:#?}");
        }
        for invitation in &self.invitations {
            let is_of = invitation.ancestors.contains(&revoked);
            assert!(!(is_of && invitation.is_open), "{revoked}: {self:#?}");
        }
    }
}

fn pass_on(ancestors: &mut BTreeSet<usize>, old: usize, new: usize) {
    if ancestors.remove(&old) {
        ancestors.insert(new);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn nothing_outlives_the_revocation_of_its_ancestor(operations in operations()) {
        let mut model = Model::default();
        model.apply(Operation::Root);
        for operation in operations {
            model.apply(operation);
        }
        if let Some(at) = model.pick(0) {
            model.revoke(at);
            model.assert_ended(at);
        }
    }
}
