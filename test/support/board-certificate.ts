/** A self-signed certificate for emulated boards, as real boards ship with. It guards nothing but tests. */
import { X509Certificate } from "node:crypto";

export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLW+wY92jNjY0qHwV
0MgeHHy0wyP3wN2LfAcLzZAoDTuhRANCAASgomOOjhBxE6TxERsmmRMZPMfQL+0i
IVs/wns2xl9ESLxYl2Ewm2sr2h/ZNmyM9SNqaJ8B2xxXI0gU71I6goyE
-----END PRIVATE KEY-----
`;

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUOXNFxiOGH34IUuVceXrxzC0UpWMwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKYm9hcmQudGVzdDAgFw0yNjExMjEwNTQ5NDlaGA8yMTI2MTAy
ODA1NDk0OVowFTETMBEGA1UEAwwKYm9hcmQudGVzdDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABKCiY46OEHETpPERGyaZExk8x9Av7SIhWz/CezbGX0RIvFiXYTCb
ayvaH9k2bIz1I2ponwHbHFcjSBTvUjqCjISjUzBRMB0GA1UdDgQWBBTTgwBP8EOJ
kZT3HCHcotreVP5xFjAfBgNVHSMEGDAWgBTTgwBP8EOJkZT3HCHcotreVP5xFjAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIC5A0wzqqrT5Wl6ivx14
P7zUF7pKY/wSpqZhCrpcWhJdAiBTX4wxwIZJX89Q0sCV2XXyZwOpqO5Nl9KXKdV6
xCWbYw==
-----END CERTIFICATE-----
`;

/** As a device's `certificate` parameter has it. */
export const FINGERPRINT = new X509Certificate(CERTIFICATE).fingerprint256;
