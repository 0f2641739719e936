module example.com/scaler

go 1.26.0

require gitlab.com/fleeting-azure/fleeting-plugin-azure v0.0.0

require (
	github.com/anmitsu/go-shlex v0.0.0-20200514113438-38f4b401e2be // indirect
	github.com/gliderlabs/ssh v0.3.8 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

// Your own module needs no such line.
replace gitlab.com/fleeting-azure/fleeting-plugin-azure => ../../..
