//! A software authenticator with passkeys (Web Authentication).

use super::phone::codes;
use crate::support::TestApp;
use crate::support::browser::{Browser, Page};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// The path of the page of the passkeys.
pub const PASSKEYS: &str = "/account/security/passkeys";
/// Settings with which browsers accept passkeys. The tests reach the server at its own address.
pub const LOCALHOST: &str = "[server]\npublic_url = \"http://localhost:8080\"";

/// The fields of a form with a response.
pub type Fields = Vec<(&'static str, String)>;

/// An authenticator with one passkey. Tests change what it states.
pub struct Authenticator {
    key: EcdsaKeyPair,
    /// The id of the credential.
    pub id: Vec<u8>,
    /// The number of its signatures.
    pub counter: u32,
    /// User present, and verified.
    pub flags: u8,
    /// The origin that the browser states.
    pub origin: String,
    /// The host to which the passkey belongs.
    pub host: String,
    /// The user to whom the passkey was assigned.
    pub user: String,
    /// Changes what the browser states.
    pub alter: fn(&mut Value),
}

impl Authenticator {
    /// An authenticator that counts its signatures.
    pub fn new(id: u8) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(),
            id: vec![id; 32],
            counter: 0,
            flags: 0x05,
            origin: "http://localhost:8080".to_owned(),
            host: "localhost".to_owned(),
            user: String::new(),
            alter: |_| {},
        }
    }

    fn client_data(&self, kind: &str, page: &Page) -> Vec<u8> {
        let challenge = page.attribute("data-challenge").unwrap();
        let mut data = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false,
        });
        (self.alter)(&mut data);
        data.to_string().into_bytes()
    }

    fn data(&self, flags: u8, rest: &[u8]) -> Vec<u8> {
        let hash = digest(&SHA256, self.host.as_bytes());
        let counter = self.counter.to_be_bytes();
        [hash.as_ref(), &[flags], &counter, rest].concat()
    }

    /// The response to a page that adds a passkey.
    pub fn create(&mut self, page: &Page) -> Fields {
        self.user = page.attribute("data-user").unwrap();
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let cose = [
            &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..],
            x,
            &[0x22, 0x58, 32],
            y,
        ]
        .concat();
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let credential = [&[0; 16][..], &length, &self.id, &cose].concat();
        let data = self.data(self.flags | 0x40, &credential);
        let client_data = self.client_data("webauthn.create", page);
        self.fields(page, [&client_data, &data, &[]])
    }

    /// The response to a page that asks for a passkey.
    pub fn get(&mut self, page: &Page) -> Fields {
        self.counter += 1;
        self.get_uncounted(page)
    }

    /// The same, without counting the signature.
    pub fn get_uncounted(&self, page: &Page) -> Fields {
        let data = self.data(self.flags, &[]);
        let client_data = self.client_data("webauthn.get", page);
        let hash = digest(&SHA256, &client_data);
        let message = [&data[..], hash.as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &message).unwrap();
        self.fields(page, [&client_data, &data, signature.as_ref()])
    }

    fn fields(&self, page: &Page, [client_data, data, signature]: [&[u8]; 3]) -> Fields {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        vec![
            ("state", page.field("state").unwrap()),
            ("credential", text(&self.id)),
            ("client_data", text(client_data)),
            ("data", text(data)),
            ("signature", text(signature)),
            ("user_handle", text(self.user.as_bytes())),
        ]
    }
}

/// The fields as they are sent.
pub fn borrowed(fields: &Fields) -> Vec<(&str, &str)> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// Adds a passkey to the user of a browser. Returns it with the page that follows.
pub async fn add(test: &TestApp, browser: &mut Browser, id: u8) -> (Authenticator, Page) {
    let page = browser.get(PASSKEYS).await;
    let mut authenticator = Authenticator::new(id);
    let fields = authenticator.create(&page);
    let mut fields = borrowed(&fields);
    fields.push(("name", "Laptop"));
    let done = browser.post(PASSKEYS, &fields).await;
    for code in codes(&done) {
        test.canaries.add(&code);
    }
    (authenticator, done)
}

/// Signs in with a passkey alone.
pub async fn sign_in(browser: &mut Browser, authenticator: &mut Authenticator) -> Page {
    let page = browser.get("/login").await;
    let fields = authenticator.get(&page);
    browser.post_only("/login", &borrowed(&fields)).await
}
