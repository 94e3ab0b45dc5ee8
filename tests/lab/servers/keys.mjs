// The signing keys of a run: the authorization servers' and the one of the client that authenticates by JWT.
import { exportJWK, generateKeyPair } from 'jose';

async function pair(kid) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const marks = { use: 'sig', alg: 'RS256', kid };
  return {
    privateKey,
    secret: { keys: [{ ...(await exportJWK(privateKey)), ...marks }] },
    open: { keys: [{ ...(await exportJWK(publicKey)), ...marks }] },
  };
}

export const serverKeys = await pair('lab');
export const clientKeys = await pair('client');
