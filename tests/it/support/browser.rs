//! A browser without JavaScript: it keeps cookies, reads forms and submits them.

use super::canary::Canaries;
use super::http;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use std::collections::BTreeMap;

/// A browser session.
#[derive(Clone)]
pub struct Browser {
    url: String,
    http: reqwest::Client,
    /// Secrets of the server under test.
    canaries: Canaries,
    /// Cookies by name. Tests may change them.
    pub cookies: BTreeMap<String, String>,
    /// Paths of the cookies that are only for one path, by name.
    cookie_paths: BTreeMap<String, String>,
    /// Headers sent with every request, such as `x-forwarded-for`.
    pub headers: HeaderMap,
    /// CSRF token of the last page that had one.
    pub csrf: String,
}

/// A page response.
#[derive(Debug, Clone)]
pub struct Page {
    /// Status code.
    pub status: u16,
    /// Response headers.
    pub headers: HeaderMap,
    /// Response body.
    pub body: String,
}

impl Page {
    /// Target of a redirect.
    pub fn location(&self) -> &str {
        self.headers
            .get(LOCATION)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The body without the id of its request, by which two pages can differ.
    pub fn without_request_id(&self) -> String {
        let id = self.headers["x-request-id"].to_str().unwrap();
        self.body.replace(id, "")
    }

    /// Whether the page has the choice of this scope, selected.
    pub fn is_ticked(&self, scope: &str) -> bool {
        let (_, rest) = self
            .body
            .split_once(&format!(r#" value="{scope}""#))
            .unwrap_or_else(|| panic!("{scope} is not offered"));
        rest.split('>').next().unwrap().ends_with(" checked")
    }

    /// Value of the first form field with this name.
    pub fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\""))?;
        let (input, _) = rest.split_once('>')?;
        let (_, rest) = input.split_once("value=\"")?;
        let (value, _) = rest.split_once('"')?;
        Some(value.to_owned())
    }

    /// Value of an attribute at its first occurrence.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("{name}=\""))?;
        let (value, _) = rest.split_once('"')?;
        Some(value.to_owned())
    }

    /// Whether the body contains a text.
    pub fn contains(&self, piece: &str) -> bool {
        self.body.contains(piece)
    }
}

impl Browser {
    /// A browser without cookies.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            http: http(),
            canaries: Canaries::of(url),
            cookies: BTreeMap::new(),
            cookie_paths: BTreeMap::new(),
            headers: HeaderMap::new(),
            csrf: String::new(),
        }
    }

    /// The same browser at another server.
    pub fn at(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self.clone()
        }
    }

    /// Sends a header with every later request.
    pub fn set_header(&mut self, name: &'static str, value: &str) {
        self.headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }

    /// Opens a page. Redirects are not followed.
    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.http.get(format!("{}{path}", self.url));
        self.send(request).await
    }

    /// Sends a HEAD request.
    pub async fn head(&mut self, path: &str) -> Page {
        let request = self.http.head(format!("{}{path}", self.url));
        self.send(request).await
    }

    /// Submits a form as it is, without a CSRF token.
    pub async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.canaries.add_form(fields);
        let request = self.http.post(format!("{}{path}", self.url)).form(fields);
        self.send(request).await
    }

    /// Submits a form with the CSRF token of the last page that had one. Follows the redirect to
    /// the page that shows the outcome of this form: its errors, a secret, a consent page or the
    /// result of a decision. Other redirects are not followed.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.post_only(path, fields).await;
        self.follow(path, page).await.unwrap()
    }

    /// The same without following any redirect.
    pub async fn post_only(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf.clone();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_bare(path, &all).await
    }

    async fn follow(&mut self, form: &str, page: Page) -> reqwest::Result<Page> {
        if page.status != 303 {
            return Ok(page);
        }
        let location = page.location();
        let (path, query) = location.split_once('?').unwrap_or((location, ""));
        // An empty or unchanged query is that of the page with the form.
        let is_same_page =
            form.starts_with(path) && (query.is_empty() || query.starts_with("link="));
        let is_outcome = is_same_page
            || query.split('&').any(|pair| pair.starts_with("form="))
            || [
                "/secret",
                "/link",
                "/sent",
                "/device/consent",
                "/device/result",
                "/settings/policy/apply",
            ]
            .iter()
            .any(|end| path.ends_with(end));
        match is_outcome {
            true => self.try_get(location).await,
            false => Ok(page),
        }
    }

    /// Builds a request of any method, to be sent with [`Self::send`].
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request with the headers and cookies of this browser.
    pub async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        self.try_send(request).await.unwrap()
    }

    async fn try_send(&mut self, request: reqwest::RequestBuilder) -> reqwest::Result<Page> {
        let built = request.build()?;
        let path = built.url().path().to_owned();
        let mut request = reqwest::RequestBuilder::from_parts(self.http.clone(), built);
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .filter(|(name, _)| {
                self.cookie_paths
                    .get(*name)
                    .is_none_or(|only| *only == path)
            })
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request = request.headers(self.headers.clone());
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let response = request.send().await?;
        for set in response.headers().get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, rest) = set.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
            if value.is_empty() || attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.canaries.add(value);
                self.cookies.insert(name.to_owned(), value.to_owned());
                let path = attributes.split("Path=").nth(1).unwrap_or("/");
                let path = path.split(';').next().unwrap_or("/");
                match path {
                    "/" => self.cookie_paths.remove(name),
                    path => self.cookie_paths.insert(name.to_owned(), path.to_owned()),
                };
            }
        }
        let page = Page {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await?,
        };
        self.canaries.add_page(&page.body);
        if let Some(csrf) = page.field("csrf") {
            self.csrf = csrf;
        }
        Ok(page)
    }

    /// Signs in. Panics on failure.
    pub async fn sign_in(&mut self, email: &str, password: &str) {
        let page = self.try_sign_in(email, password).await;
        assert_eq!(page.status, 303, "{}", page.body);
    }

    /// Tries to sign in.
    pub async fn try_sign_in(&mut self, email: &str, password: &str) -> Page {
        self.get("/login").await;
        self.post("/login", &[("email", email), ("password", password)])
            .await
    }

    /// Enters a user code. Returns the consent page if the code is valid.
    pub async fn type_code(&mut self, code: &str) -> Page {
        self.get("/device").await;
        self.post("/device", &[("user_code", code), ("via", "keyboard")])
            .await
    }

    /// Submits a consent page with these scopes selected.
    pub async fn decide(&mut self, consent: &Page, decision: &str, scopes: &[&str]) -> Page {
        let ticket = consent.field("ticket").unwrap();
        let code = consent.field("user_code").unwrap();
        let mut fields = vec![
            ("ticket", ticket.as_str()),
            ("user_code", &code),
            ("decision", decision),
        ];
        fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
        self.post("/device/decide", &fields).await
    }

    /// Enters a user code and approves these scopes.
    pub async fn approve(&mut self, code: &str, scopes: &[&str]) -> Page {
        let consent = self.type_code(code).await;
        assert_eq!(consent.status, 200, "{}", consent.body);
        let page = self.decide(&consent, "approve", scopes).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page
    }

    /// Creates a token in the console.
    pub async fn new_token(&mut self, name: &str, scopes: &[&str], expires: &str) -> String {
        self.get("/tokens/new").await;
        let mut fields = vec![("name", name), ("expires", expires)];
        fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let page = self.post("/tokens/new", &fields).await;
        page.attribute("data-token")
            .unwrap_or_else(|| panic!("{} {}", page.status, page.body))
    }

    /// Opens a page of a server that may be down.
    pub async fn try_get(&mut self, path: &str) -> reqwest::Result<Page> {
        let request = self.http.get(format!("{}{path}", self.url));
        self.try_send(request).await
    }

    /// Like [`Self::post`], to a server that may be down.
    pub async fn try_post(&mut self, path: &str, fields: &[(&str, &str)]) -> reqwest::Result<Page> {
        let csrf = self.csrf.clone();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        let request = self.http.post(format!("{}{path}", self.url)).form(&all);
        let page = self.try_send(request).await?;
        self.follow(path, page).await
    }
}
