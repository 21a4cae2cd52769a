//! Password hashing with bounded resources.
//!
//! One argon2id hash takes 20 ms of a core and 19 MiB. Unbounded, a few dozen concurrent sign-ins
//! take gigabytes and starve every other request. So a few threads do all hashing, each with one
//! reusable block of memory, behind a short queue; a full queue rejects further tasks
//! immediately.

use super::{Entropy, Error};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use config::SignIn;
use crossbeam_channel::{Receiver, Sender};
use domain::password;
use tokio::sync::oneshot;

const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// The hashing threads.
pub struct Hasher {
    queue: Sender<Task>,
    params: Params,
    /// A hash that matches no password, to spend the same time on users that do not exist.
    decoy: String,
}

struct Task {
    password: String,
    salt: Vec<u8>,
    params: Params,
    reply: oneshot::Sender<Option<[u8; HASH_LENGTH]>>,
}

/// Result of comparing a password with a hash.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Wrong password.
    Wrong,
    /// Right password.
    Right,
    /// Right password, but the hash has weaker parameters than configured.
    RightButWeak,
}

impl Hasher {
    /// Starts the threads.
    pub fn start(settings: &SignIn, entropy: &dyn Entropy) -> Result<Self, Error> {
        let params = Params::new(
            settings.argon2_memory_kib,
            settings.argon2_iterations,
            1,
            Some(HASH_LENGTH),
        )
        .map_err(|error| Error::internal(error.to_string()))?;
        let (queue, tasks) = crossbeam_channel::bounded(settings.hash_queue);
        for i in 0..settings.hash_threads {
            let tasks: Receiver<Task> = tasks.clone();
            std::thread::Builder::new()
                .name(format!("hasher-{i}"))
                .spawn(move || serve(&tasks))
                .map_err(|error| Error::internal(error.to_string()))?;
        }
        let mut bytes = [0; SALT_LENGTH + HASH_LENGTH];
        entropy.fill(&mut bytes);
        let (salt, hash) = bytes.split_at(SALT_LENGTH);
        Ok(Self {
            queue,
            decoy: phc(&params, salt, hash),
            params,
        })
    }

    /// Hashes a new password with a random salt. The result includes its parameters.
    pub async fn hash(&self, new: &str, salt: [u8; SALT_LENGTH]) -> Result<String, Error> {
        let hash = self.compute(new, &salt, self.params.clone()).await?;
        let hash = hash.ok_or_else(|| Error::internal("argon2id refused the parameters"))?;
        Ok(phc(&self.params, &salt, &hash))
    }

    /// Compares a password with a stored hash. Without one it takes as long, so that the response
    /// time does not reveal whether the user exists.
    pub async fn verify(&self, given: &str, stored: Option<&str>) -> Result<Verdict, Error> {
        use subtle::ConstantTimeEq;
        let parsed = PasswordHash::new(stored.unwrap_or(&self.decoy))
            .map_err(|_| Error::internal("a password hash cannot be read"))?;
        let params = Params::try_from(&parsed)
            .map_err(|_| Error::internal("a password hash cannot be read"))?;
        let (Some(salt), Some(expected)) = (&parsed.salt, &parsed.hash) else {
            return Err(Error::internal("a password hash is incomplete"));
        };
        let is_weak =
            params.m_cost() < self.params.m_cost() || params.t_cost() < self.params.t_cost();
        let hash = self
            .compute(given, salt.as_ref(), params)
            .await?
            .ok_or_else(|| Error::internal("a password hash has impossible parameters"))?;
        let is_right: bool = hash.as_slice().ct_eq(expected.as_bytes()).into();
        Ok(match (is_right && stored.is_some(), is_weak) {
            (false, _) => Verdict::Wrong,
            (true, false) => Verdict::Right,
            (true, true) => Verdict::RightButWeak,
        })
    }

    async fn compute(
        &self,
        password: &str,
        salt: &[u8],
        params: Params,
    ) -> Result<Option<[u8; HASH_LENGTH]>, Error> {
        let (reply, answer) = oneshot::channel();
        let task = Task {
            password: password::normalize(password),
            salt: salt.to_vec(),
            params,
            reply,
        };
        self.queue.try_send(task).map_err(|_| Error::Busy)?;
        answer
            .await
            .map_err(|_| Error::internal("a hashing thread ended"))
    }
}

/// Writes the PHC string format, which every argon2 library reads.
fn phc(params: &Params, salt: &[u8], hash: &[u8]) -> String {
    use base64::Engine;
    let encode = |bytes| base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
    format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        encode(salt),
        encode(hash)
    )
}

fn serve(tasks: &Receiver<Task>) {
    let mut memory: Vec<Block> = Vec::new();
    while let Ok(task) = tasks.recv() {
        // The request may have been cancelled while the task waited.
        if task.reply.is_closed() {
            continue;
        }
        let blocks = task.params.block_count();
        if memory.len() < blocks {
            memory.resize(blocks, Block::default());
        }
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, task.params);
        let mut hash = [0; HASH_LENGTH];
        let result = argon2.hash_password_into_with_memory(
            task.password.as_bytes(),
            &task.salt,
            &mut hash,
            &mut memory[..blocks],
        );
        let _ = task.reply.send(result.ok().map(|()| hash));
    }
}
