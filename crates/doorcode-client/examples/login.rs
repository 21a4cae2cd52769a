//! Signs in to a server by device login and shows whose token it is.

use doorcode_client::{Branding, Browser, Client, DeviceParameters, Host, Output, Secret, login};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = Output::new(false);
    let host = Host::parse("https://auth.example.com")?;
    let client = Client::new(&host, &Branding::default())?;
    let token = login::obtain(&client, DeviceParameters::default(), Browser::Open, &out).await?;
    let identity = client.me(&Secret::new(token.access_token)).await?;
    Ok(out.say(format!("Signed in as {}.", identity.owner()))?)
}
