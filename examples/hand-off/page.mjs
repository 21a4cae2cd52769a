// The page of [[sign_in.hand_off]]: DOORCODE_URL=… PAGE_URL=… HAND_OFF_KEY=… node page.mjs
import { createHmac, createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";

const { DOORCODE_URL, PAGE_URL, HAND_OFF_KEY, PORT = 3000 } = process.env;
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (text) => Buffer.from(text, "base64url");
const now = () => Math.floor(Date.now() / 1000);

// Put the session of your product here. Without one, or if asked.prompt is "login", show your sign-in page first.
const signedIn = () => ({ sub: "customer-7", email: "ada@example.com", email_verified: true, name: "Ada", auth_time: now() });

async function check(jwt) {
  const [header, payload, signature] = jwt.split(".");
  const { keys } = await (await fetch(`${DOORCODE_URL}/auth/keys`)).json();
  const key = createPublicKey({ key: keys[0], format: "jwk" });
  const claims = JSON.parse(decode(payload));
  const isSigned = verify(null, Buffer.from(`${header}.${payload}`), key, decode(signature));
  if (isSigned && claims.iss === DOORCODE_URL && claims.aud === PAGE_URL && claims.exp > now()) return claims;
  throw new Error("This is not a request of Doorcode.");
}

createServer(async (request, response) => {
  const asked = await check(new URL(request.url, PAGE_URL).searchParams.get("request") ?? "..").catch(() => null);
  if (!asked) return response.writeHead(400).end("This is not a request of Doorcode.");
  const claims = { iss: new URL(PAGE_URL).origin, aud: asked.iss, iat: now(), exp: now() + 60, nonce: asked.nonce, ...signedIn() };
  const message = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  const answer = `${message}.${createHmac("sha256", HAND_OFF_KEY).update(message).digest("base64url")}`;
  const target = `${asked.redirect_uri}?${new URLSearchParams({ state: asked.state, answer })}`;
  response.writeHead(303, { location: target }).end();
}).listen(PORT);
