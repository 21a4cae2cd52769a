//! Password hashing with bounded resources.
//!
//! One argon2id hash takes 20 ms of a core and 19 MiB. Unbounded, a few dozen concurrent sign-ins
//! take gigabytes and starve every other request. So a few threads do all hashing, each with one
//! reusable block of memory, behind two short queues; a full queue rejects further tasks
//! immediately. Strangers, who can guess at any rate from many addresses, have a queue of their own,
//! so that they cannot keep known browsers and signed-in users from the threads. Each user and each
//! source has a few tasks at a time, so that none fills a queue alone.

use super::slots::{Slot, Slots};
use super::{Entropy, Error};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use config::SignIn;
use crossbeam_channel::{Receiver, Sender, select};
use domain::id::UserId;
use domain::{network, password};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// Tasks of one user at a time.
const PER_USER: usize = 2;
/// Tasks of one source of strangers at a time: this part of their queue.
const PART_PER_SOURCE: usize = 4;

/// The hashing threads.
pub struct Hasher {
    known: Sender<Task>,
    strangers: Sender<Task>,
    /// Locked while a task of [`Waiter::Slowed`] is added.
    slowed: Mutex<()>,
    /// The most tasks that wait in each queue.
    capacity: usize,
    /// The tasks of users and sources.
    slots: Arc<Slots>,
    params: Params,
    /// A hash that matches no password, to spend the same time on users that do not exist.
    decoy: String,
}

/// Who waits for a hash, which determines the queue. The threads serve both queues alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiter {
    /// The operator, or the visitor with the link for the first user.
    Operator,
    /// A user in a known browser, in a session or with a secret link.
    User(UserId),
    /// A stranger at this address.
    Stranger(IpAddr),
    /// A stranger who leaves the second half of the queue to others.
    Slowed(IpAddr),
}

/// What a hash depends on.
struct Input<'a> {
    password: &'a str,
    salt: &'a [u8],
    params: Params,
}

struct Task {
    password: String,
    salt: Vec<u8>,
    params: Params,
    reply: oneshot::Sender<Option<[u8; HASH_LENGTH]>>,
    /// Taken until the task is done; the operator needs none.
    slot: Option<Slot>,
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
        let capacity = settings.hash_queue;
        let (known, of_known) = crossbeam_channel::bounded(capacity);
        let (strangers, of_strangers) = crossbeam_channel::bounded(capacity);
        for i in 0..settings.hash_threads {
            let (of_known, of_strangers) = (of_known.clone(), of_strangers.clone());
            std::thread::Builder::new()
                .name(format!("hasher-{i}"))
                .spawn(move || serve(&of_known, &of_strangers))
                .map_err(|error| Error::internal(error.to_string()))?;
        }
        let mut bytes = [0; SALT_LENGTH + HASH_LENGTH];
        entropy.fill(&mut bytes);
        let (salt, hash) = bytes.split_at(SALT_LENGTH);
        Ok(Self {
            known,
            strangers,
            slowed: Mutex::default(),
            capacity,
            slots: Slots::new(usize::MAX),
            decoy: phc(&params, salt, hash),
            params,
        })
    }

    /// Hashes a new password with a random salt. The result includes its parameters.
    pub async fn hash(
        &self,
        new: &str,
        salt: [u8; SALT_LENGTH],
        waiter: Waiter,
    ) -> Result<String, Error> {
        let input = Input {
            password: new,
            salt: &salt,
            params: self.params.clone(),
        };
        let hash = self.compute(input, waiter).await?;
        let hash = hash.ok_or_else(|| Error::internal("argon2id refused the parameters"))?;
        Ok(phc(&self.params, &salt, &hash))
    }

    /// Compares a password with a stored hash. Without one it takes as long, so that the response
    /// time does not reveal whether the user exists.
    pub async fn verify(
        &self,
        given: &str,
        stored: Option<&str>,
        waiter: Waiter,
    ) -> Result<Verdict, Error> {
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
        let input = Input {
            password: given,
            salt: salt.as_ref(),
            params,
        };
        let hash = self
            .compute(input, waiter)
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
        input: Input<'_>,
        waiter: Waiter,
    ) -> Result<Option<[u8; HASH_LENGTH]>, Error> {
        let slot = self.take_slot(&waiter)?;
        let (reply, answer) = oneshot::channel();
        let task = Task {
            password: password::normalize(input.password),
            salt: input.salt.to_vec(),
            params: input.params,
            reply,
            slot,
        };
        self.enqueue(task, &waiter)?;
        let hash = answer
            .await
            .map_err(|_| Error::internal("a hashing thread ended"))?;
        store::deadline::restart();
        Ok(hash)
    }

    /// Takes a slot. Fails with [`Error::Busy`] if the user or source has too many tasks.
    fn take_slot(&self, waiter: &Waiter) -> Result<Option<Slot>, Error> {
        let slot = match waiter {
            Waiter::Operator => return Ok(None),
            Waiter::User(id) => self.slots.take(id.as_str(), PER_USER),
            Waiter::Stranger(from) | Waiter::Slowed(from) => {
                let source = network::source(*from).to_string();
                let per_source = self.capacity.div_ceil(PART_PER_SOURCE);
                self.slots.take(&source, per_source)
            }
        };
        slot.map(Some).ok_or(Error::Busy)
    }

    fn enqueue(&self, task: Task, waiter: &Waiter) -> Result<(), Error> {
        let sent = match waiter {
            Waiter::Operator | Waiter::User(_) => self.known.try_send(task),
            Waiter::Stranger(_) => self.strangers.try_send(task),
            Waiter::Slowed(_) => {
                // One at a time, or two could take the last place of the half.
                let _turn = self.slowed.lock().unwrap_or_else(PoisonError::into_inner);
                if self.strangers.len() >= self.capacity.div_ceil(2) {
                    return Err(Error::Busy);
                }
                self.strangers.try_send(task)
            }
        };
        sent.map_err(|_| Error::Busy)
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

fn serve(known: &Receiver<Task>, strangers: &Receiver<Task>) {
    let mut memory: Vec<Block> = Vec::new();
    loop {
        // Of two waiting tasks it takes a random one, so that neither queue starves the other.
        let task = select! {
            recv(known) -> task => task,
            recv(strangers) -> task => task,
        };
        let Ok(task) = task else {
            return;
        };
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
        // Before the reply, which the next task of the same user may follow.
        drop(task.slot);
        let _ = task.reply.send(result.ok().map(|()| hash));
    }
}
