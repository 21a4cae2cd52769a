//! A device that signs in through the device flow.

use super::canary::Canaries;
use super::{CLI, TestApp};
use serde_json::Value;

/// The grant type of RFC 8628.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device with its codes.
#[derive(Debug, Clone)]
pub struct Device {
    /// Device code.
    pub device_code: String,
    /// User code.
    pub user_code: String,
    /// Link with the user code.
    pub link: String,
}

impl Device {
    /// Reads the codes of a response. Panics if there are none.
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Self {
            device_code: text("device_code"),
            user_code: text("user_code"),
            link: text("verification_uri_complete"),
        }
    }

    /// Form that a client sends to poll for the token of this device.
    pub fn poll_form<'a>(&'a self, client_id: &'a str) -> [(&'a str, &'a str); 3] {
        [
            ("grant_type", GRANT),
            ("client_id", client_id),
            ("device_code", &self.device_code),
        ]
    }
}

/// Response of an OAuth endpoint.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Response headers.
    pub headers: reqwest::header::HeaderMap,
    /// JSON body; `null` if it is empty.
    pub body: Value,
}

impl Answer {
    /// Reads a response.
    pub async fn of(response: reqwest::Response) -> Self {
        Self::try_of(response).await.unwrap()
    }

    /// Reads a response of a server that may be down.
    pub async fn try_of(response: reqwest::Response) -> reqwest::Result<Self> {
        let canaries = Canaries::of(response.url().as_str());
        let answer = Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_str(&response.text().await?).unwrap_or(Value::Null),
        };
        canaries.add_document(&answer.body);
        Ok(answer)
    }

    /// The error code, or an empty string.
    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    /// The token. Panics without one.
    pub fn token(&self) -> String {
        let token = self.body["access_token"].as_str();
        token.unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

impl TestApp {
    /// Submits a form to an OAuth endpoint.
    pub async fn oauth(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(
            self.anon()
                .post(self.at(path))
                .form(form)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Creates a device grant for the client [`CLI`].
    pub async fn device(&self, scope: &str) -> Device {
        let form = [("client_id", CLI), ("scope", scope)];
        Device::of(&self.oauth("/auth/device", &form).await)
    }

    /// Polls for the token.
    pub async fn poll(&self, device: &Device) -> Answer {
        self.oauth("/auth/device/token", &device.poll_form(CLI))
            .await
    }

    /// Obtains a token with these scopes through the whole flow.
    pub async fn token(&self, scopes: &[&str]) -> String {
        let device = self.device(&scopes.join(" ")).await;
        self.user().await.approve(&device.user_code, scopes).await;
        self.poll(&device).await.token()
    }

    /// Polls for the token with `Prefer: wait` (RFC 7240).
    pub async fn poll_waiting(&self, device: &Device, seconds: u32) -> Answer {
        let request = self
            .anon()
            .post(self.at("/auth/device/token"))
            .header("prefer", format!("wait={seconds}"))
            .form(&device.poll_form(CLI));
        Answer::of(request.send().await.unwrap()).await
    }
}

impl TestApp {
    /// Polls for the token as another client.
    pub async fn poll_as(&self, client_id: &str, device: &Device) -> Answer {
        let form = [
            ("grant_type", GRANT),
            ("client_id", client_id),
            ("device_code", &device.device_code),
        ];
        self.oauth("/auth/device/token", &form).await
    }
}
