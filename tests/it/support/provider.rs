//! An identity provider, honest or not.

mod signing;

pub use signing::Signing;

use super::TestApp;
use super::browser::{Browser, Page};
use super::clock::ManualClock;
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorcode::app::Clock;
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use url::Url;

/// The id of the provider in the settings.
pub const ID: &str = "acme";

/// The registration of the server.
const CLIENT: &str = "doorcode-at-acme";
const SECRET: &str = "a-secret-of-the-registration";

/// A private RSA key with 2048 bits, in PKCS #8 and base64.
const RSA_KEY: &str = include_str!("provider_key.txt");

type Alter = Box<dyn Fn(&mut Map<String, Value>) + Send>;
type Instead = Box<dyn FnMut(&str, &str) -> Option<(u16, Value)> + Send>;

/// What the provider does.
pub struct Desk {
    url: String,
    clock: Arc<ManualClock>,
    /// The claims about the user who signs in.
    pub user: Map<String, Value>,
    /// Claims that only the UserInfo endpoint states.
    pub info: Map<String, Value>,
    /// How tokens are signed.
    pub signing: Signing,
    /// The id of the keys.
    pub key_id: String,
    /// Changes the claims of each token before it is signed.
    pub alter: Alter,
    /// The issuer in the redirect to the server; `None` for a provider without RFC 9207.
    pub returned_issuer: Option<String>,
    /// Whether refresh tokens are issued.
    pub refreshes: bool,
    /// Whether refresh tokens are refused.
    pub refuses: bool,
    /// Members of the metadata that replace the honest ones.
    pub metadata: Map<String, Value>,
    /// Answers a request to a path, with a body, in place of the provider.
    pub instead: Instead,
    /// Requests by path.
    pub requests: BTreeMap<String, usize>,
    /// The `traceparent` of each request that has one.
    pub traces: Vec<String>,
    codes: BTreeMap<String, Map<String, Value>>,
    issued: usize,
    /// The ECDSA key, in PKCS #8.
    pub ec: Vec<u8>,
}

/// A provider.
pub struct Provider {
    /// Its address, which is its issuer.
    pub url: String,
    desk: Arc<Mutex<Desk>>,
    handle: ServerHandle,
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Provider {
    /// Starts a provider, at which Ada is known.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ec =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let desk = Desk {
            url: url.clone(),
            clock: Arc::default(),
            user: Map::new(),
            info: Map::new(),
            signing: Signing::Rs256,
            key_id: "first".to_owned(),
            alter: Box::new(|_| {}),
            returned_issuer: Some(url.clone()),
            refreshes: false,
            refuses: false,
            metadata: Map::new(),
            instead: Box::new(|_, _| None),
            requests: BTreeMap::new(),
            traces: Vec::new(),
            codes: BTreeMap::new(),
            issued: 0,
            ec: ec.unwrap().as_ref().to_vec(),
        };
        let desk = Arc::new(Mutex::new(desk));
        let shared = web::Data::from(desk.clone());
        let server = HttpServer::new(move || {
            actix_web::App::new()
                .app_data(shared.clone())
                .default_service(web::to(answer))
        });
        let server = server.workers(1).disable_signals();
        let server = server.listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let provider = Self { url, desk, handle };
        provider.is_asked_by("ada-at-acme", "ada@acme.example");
        provider
    }

    /// A server with this provider, and further keys of its section.
    pub async fn server(&self, keys: &str) -> TestApp {
        let test = TestApp::with(&self.settings(keys)).await;
        self.follow(&test);
        test
    }

    /// Takes over the clock of a server.
    pub fn follow(&self, test: &TestApp) {
        test.canaries.add(SECRET);
        self.desk().clock = test.clock.clone();
    }

    /// The section of this provider, with further keys.
    pub fn settings(&self, keys: &str) -> String {
        format!(
            "[[sign_in.oidc]]\nid = \"{ID}\"\nname = \"Acme\"\nissuer = \"{}\"\nclient_id = \
             \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\n{keys}\n",
            self.url
        )
    }

    /// What the provider does, to change it.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// From now on this user signs in, with a verified address.
    pub fn is_asked_by(&self, subject: &str, email: &str) {
        let user = json!({
            "sub": subject, "email": email, "email_verified": true, "name": "Ada at Acme",
        });
        self.desk().user = user.as_object().unwrap().clone();
    }

    /// Sets a claim about the user.
    pub fn state(&self, claim: &str, value: Value) {
        self.desk().user.insert(claim.to_owned(), value);
    }

    /// Changes the claims of each token before it is signed.
    pub fn alter(&self, alter: impl Fn(&mut Map<String, Value>) + Send + 'static) {
        self.desk().alter = Box::new(alter);
    }

    /// Requests for a path so far.
    pub fn requests(&self, path: &str) -> usize {
        self.desk().requests.get(path).copied().unwrap_or_default()
    }

    /// The user approves at the address to which the server sent the browser. Returns the path to
    /// which the browser comes back.
    pub fn approve(&self, location: &str) -> String {
        let asked = Url::parse(location).unwrap();
        assert!(
            location.starts_with(&format!("{}/authorize?", self.url)),
            "{location}"
        );
        let asked: Map<String, Value> = asked
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        let mut desk = self.desk();
        desk.issued += 1;
        let code = format!("code-{}-of-{}", desk.issued, self.url.len());
        let mut back = Url::parse(asked["redirect_uri"].as_str().unwrap()).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", asked["state"].as_str().unwrap());
        if let Some(issuer) = &desk.returned_issuer {
            back.query_pairs_mut().append_pair("iss", issuer);
        }
        desk.codes.insert(code, asked);
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    /// Goes from the sign-in page through the provider and back.
    pub async fn sign_in(&self, browser: &mut Browser) -> Page {
        self.sign_in_at(browser, &format!("/login/with/{ID}")).await
    }

    /// The same from another address that begins a sign-in.
    pub async fn sign_in_at(&self, browser: &mut Browser, begin: &str) -> Page {
        let page = browser.get(begin).await;
        assert_eq!(page.status, 303, "{}", page.body);
        let back = self.approve(page.location());
        browser.get(&back).await
    }

    /// A signed token with the usual claims and these.
    pub fn token(&self, claims: &Value) -> String {
        let desk = self.desk();
        let mut all = desk.usual();
        all.extend(claims.as_object().unwrap().clone());
        desk.sign(all, "logout+jwt")
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Desk {
    fn rsa() -> RsaKeyPair {
        let text: String = RSA_KEY.split_whitespace().collect();
        RsaKeyPair::from_pkcs8(&STANDARD.decode(text).unwrap()).unwrap()
    }

    fn ec(&self) -> EcdsaKeyPair {
        let random = SystemRandom::new();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.ec, &random).unwrap()
    }

    fn ed() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    /// The key set.
    pub fn keys(&self) -> Value {
        let id = |kind: &str| format!("{kind}-{}", self.key_id);
        let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(Self::rsa().public());
        let ec = self.ec();
        let (x, y) = ec.public_key().as_ref()[1..].split_at(32);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [
            {"kty": "RSA", "kid": id("RS256"), "use": "sig", "n": text(&rsa.n), "e": text(&rsa.e)},
            {"kty": "EC", "kid": id("ES256"), "crv": "P-256", "alg": "ES256", "x": text(x), "y": text(y)},
            {"kty": "OKP", "kid": id("EdDSA"), "crv": "Ed25519", "x": text(Self::ed().public_key().as_ref())},
            {"kty": "RSA", "kid": "for-encryption", "use": "enc", "n": text(&rsa.n), "e": text(&rsa.e)},
            {"kty": "odd", "kid": "of-the-future"},
        ]})
    }

    /// The claims of any token.
    fn usual(&self) -> Map<String, Value> {
        let now = self.clock.now().timestamp();
        let usual = json!({"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300});
        usual.as_object().unwrap().clone()
    }

    fn sign(&self, mut claims: Map<String, Value>, kind: &str) -> String {
        (self.alter)(&mut claims);
        let (algorithm, key) = match self.signing {
            Signing::Rs256 | Signing::Forged => ("RS256", "RS256"),
            Signing::Es256 => ("ES256", "ES256"),
            Signing::EdDsa => ("EdDSA", "EdDSA"),
            Signing::Unsigned => ("none", "RS256"),
            Signing::Confused => ("HS256", "RS256"),
        };
        let header =
            json!({"alg": algorithm, "kid": format!("{key}-{}", self.key_id), "typ": kind});
        let message = format!("{}.{}", encode(&header), encode(&Value::Object(claims)));
        let (bytes, random) = (message.as_bytes(), SystemRandom::new());
        let signature = match self.signing {
            Signing::Rs256 => {
                let key = Self::rsa();
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature)
                    .unwrap();
                signature
            }
            Signing::Es256 => self.ec().sign(&random, bytes).unwrap().as_ref().to_vec(),
            Signing::EdDsa => Self::ed().sign(bytes).as_ref().to_vec(),
            Signing::Unsigned => Vec::new(),
            Signing::Forged => vec![1; 256],
            Signing::Confused => {
                let rsa = Self::rsa();
                let key = hmac::Key::new(hmac::HMAC_SHA256, rsa.public().as_ref());
                hmac::sign(&key, bytes).as_ref().to_vec()
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn metadata(&self) -> Value {
        let url = &self.url;
        let mut metadata = json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "jwks_uri": format!("{url}/keys"),
            "authorization_response_iss_parameter_supported": self.returned_issuer.is_some(),
        });
        let members = metadata.as_object_mut().unwrap();
        members.extend(self.metadata.clone());
        metadata
    }

    /// Redeems a code once, or a refresh token.
    fn redeem(&mut self, form: &BTreeMap<String, String>) -> Option<Value> {
        let mut claims = self.usual();
        claims.extend(self.user.clone());
        if form["grant_type"] == "refresh_token" {
            let is_known = form["refresh_token"].starts_with("refresh-token-");
            if self.refuses || !is_known {
                return None;
            }
        } else {
            let asked = self.codes.remove(&form["code"])?;
            let challenge =
                URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
            if asked["code_challenge"] != challenge || asked["redirect_uri"] != form["redirect_uri"]
            {
                return None;
            }
            claims.insert("nonce".to_owned(), asked["nonce"].clone());
            let now = claims["iat"].clone();
            claims.entry("auth_time").or_insert(now);
        }
        self.issued += 1;
        let mut tokens = json!({
            "token_type": "Bearer",
            "access_token": format!("access-token-{}", self.issued),
            "id_token": self.sign(claims, "JWT"),
        });
        if self.refreshes {
            tokens["refresh_token"] = format!("refresh-token-{}-of-ada", self.issued).into();
        }
        Some(tokens)
    }
}

async fn answer(
    desk: web::Data<Mutex<Desk>>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let mut desk = desk.lock().unwrap();
    *desk.requests.entry(request.path().to_owned()).or_default() += 1;
    if let Some(trace) = request.headers().get("traceparent") {
        desk.traces.push(trace.to_str().unwrap().to_owned());
    }
    let instead = (desk.instead)(request.path(), str::from_utf8(&body).unwrap());
    if let Some((status, answer)) = instead {
        return HttpResponse::build(StatusCode::from_u16(status).unwrap()).json(answer);
    }
    let header = request.headers().get("authorization");
    let header = header.map_or("", |value| value.to_str().unwrap());
    let answer = match request.path() {
        "/.well-known/openid-configuration" => Some(desk.metadata()),
        "/keys" => Some(desk.keys()),
        "/userinfo" if header.starts_with("Bearer access-token-") => {
            let mut info = desk.user.clone();
            info.extend(desk.info.clone());
            Some(Value::Object(info))
        }
        "/token"
            if header == format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}"))) =>
        {
            let form = url::form_urlencoded::parse(&body).into_owned().collect();
            desk.redeem(&form)
        }
        _ => None,
    };
    match answer {
        Some(answer) => HttpResponse::Ok().json(answer),
        None => HttpResponse::BadRequest().json(json!({"error": "invalid_grant"})),
    }
}
