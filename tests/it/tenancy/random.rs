//! Random trees of tokens, rotations and invitations, through the API.

use super::descendants::{Scene, named, text};
use super::expect;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// Number of trees.
const TREES: u64 = 200;

/// A token of a tree. After a rotation it is the successor, which takes the same place.
struct Node {
    made: Value,
    /// The place of the token with which it was created; `None` for the root.
    parent: Option<usize>,
}

/// A tree, and its invitations with the places of the tokens that created them.
struct Tree<'a> {
    scene: &'a Scene,
    nodes: Vec<Node>,
    invitations: Vec<(Value, usize)>,
}

impl<'a> Tree<'a> {
    async fn plant(scene: &'a Scene) -> Self {
        let made = expect(scene.own().post("/v1/tokens", named("root")).await, 201);
        Self {
            scene,
            nodes: vec![Node { made, parent: None }],
            invitations: Vec::new(),
        }
    }

    /// The path of a token for the API.
    fn path(&self, at: usize) -> String {
        let made = &self.nodes[at].made;
        let tokens = match made["kind"].as_str().unwrap() {
            "personal" => "/v1/tokens".to_owned(),
            _ => self.scene.tokens_of_acme(),
        };
        format!("{tokens}/{}", made["id"].as_str().unwrap())
    }

    /// Creates a personal or an organization token or an invitation with one token, or rotates one
    /// with itself or another.
    async fn grow(&mut self, random: &mut StdRng) {
        let by = random.random_range(0..self.nodes.len());
        let client = self.scene.client(text(&self.nodes[by].made));
        let tokens = match random.random_range(0..6) {
            0 | 1 => "/v1/tokens".to_owned(),
            2 => self.scene.tokens_of_acme(),
            3 => {
                let invitation = json!({"role": "member"});
                let made = client.post(&self.scene.invitations(), invitation).await;
                self.invitations.push((expect(made, 201), by));
                return;
            }
            choice => {
                let at = match choice {
                    4 => by,
                    _ => random.random_range(0..self.nodes.len()),
                };
                let rotate = format!("{}/rotate", self.path(at));
                let answer = client.post(&rotate, json!({"overlap_seconds": 0})).await;
                match answer.status {
                    201 => self.nodes[at].made = answer.body,
                    // Creators, tokens of others, and personal tokens of an organization's token.
                    status => assert!(at != by && [404, 409].contains(&status), "{answer:?}"),
                }
                return;
            }
        };
        let made = expect(client.post(&tokens, named("n")).await, 201);
        let parent = Some(by);
        self.nodes.push(Node { made, parent });
    }

    /// Whether a token is at a place or below it.
    fn is_below(&self, mut at: usize, top: usize) -> bool {
        loop {
            match self.nodes[at].parent {
                _ if at == top => return true,
                Some(parent) => at = parent,
                None => return false,
            }
        }
    }

    /// Revokes the token at a place. Returns how much was active below it.
    async fn cut(&self, top: usize) -> usize {
        let answer = self.scene.own().delete(&self.path(top)).await;
        assert!([200, 204].contains(&answer.status), "{answer:?}");
        let mut ended = 0;
        for at in 0..self.nodes.len() {
            if self.is_below(at, top) {
                let token = &self.nodes[at].made;
                assert!(!self.scene.client(text(token)).is_active().await, "{token}");
                ended += 1;
            }
        }
        for (made, by) in &self.invitations {
            if self.is_below(*by, top) {
                assert!(!self.scene.is_open(made).await, "{made}");
                ended += 1;
            }
        }
        ended
    }

    /// What is active: tokens and invitations.
    async fn count_active(&self) -> usize {
        let mut active = 0;
        for Node { made, .. } in &self.nodes {
            active += usize::from(self.scene.client(text(made)).is_active().await);
        }
        for (made, _) in &self.invitations {
            active += usize::from(self.scene.is_open(made).await);
        }
        active
    }
}

/// Any token is revoked first, which ends what is below it and nothing else; then the root.
#[actix_web::test]
async fn nothing_outlives_the_revocation_of_its_ancestor() {
    let scene = Scene::new().await;
    let mut sizes = 0;
    for seed in 0..TREES {
        let mut random = StdRng::seed_from_u64(seed);
        let mut tree = Tree::plant(&scene).await;
        for _ in 0..random.random_range(2..9) {
            tree.grow(&mut random).await;
        }
        let size = tree.nodes.len() + tree.invitations.len();
        let any = random.random_range(0..tree.nodes.len());
        let ended = tree.cut(any).await;
        assert_eq!(tree.count_active().await, size - ended, "{seed}");
        assert_eq!(tree.cut(0).await, size, "{seed}");
        sizes += size;
    }
    assert!(sizes > 500, "{sizes}");
}
