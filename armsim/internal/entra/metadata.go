package entra

import (
	"net/http"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
)

// nowhere is a domain that never resolves (RFC 2606), for services that are not
// simulated.
const nowhere = "armsim.invalid"

// serveMetadata describes the cloud, as Azure CLI's "cloud register" and
// Terraform's metadata_host ask for it: an object from 2022 on and in 2015, a
// list between. What is named is what these two read (azure-cli's core/cloud.py,
// hashicorp/go-azure-sdk's internal/metadata; read 2026-11-26).
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	switch v := azhttp.QueryFold(r.URL.Query(), "api-version"); {
	case v < "2019-01-01": // also without one
		azhttp.WriteJSON(w, http.StatusOK, s.firstMetadata())
	case v < "2022-01-01":
		azhttp.WriteJSON(w, http.StatusOK, []any{s.cloud()})
	default:
		azhttp.WriteJSON(w, http.StatusOK, s.cloud())
	}
}

// authentication has the tenant that public clouds name: Terraform takes any
// other one for an Azure Stack, which it refuses.
func (s *Server) authentication() object {
	return object{
		"loginEndpoint": s.Endpoint, "audiences": []any{s.Audience, s.Endpoint},
		"tenant": "common", "identityProvider": "AAD",
	}
}

// firstMetadata has what the version of 2015 has.
func (s *Server) firstMetadata() object {
	return object{
		"galleryEndpoint": s.Endpoint, "graphEndpoint": s.graph(), "portalEndpoint": s.Endpoint,
		"graphAudience": s.graph(), "resourceManager": s.Endpoint, "authentication": s.authentication(),
	}
}

// graph is where Microsoft Graph would be. No more than tokens for it is simulated.
func (s *Server) graph() string { return s.Issuer.graphs()[0] }

func (s *Server) cloud() object {
	cloud := object{
		"name": "armsim", "resourceManager": s.Endpoint, "portal": s.Endpoint, "gallery": s.Endpoint,
		"authentication": s.authentication(),
		"graph":          s.graph(), "graphAudience": s.graph(), "microsoftGraphResourceId": s.graph(),
		"suffixes": suffixes(),
	}
	for _, service := range []string{
		"media", "batch", "sqlManagement", "activeDirectoryDataLake", "appInsightsResourceId", "appInsightsTelemetryChannelResourceId",
		"attestationResourceId", "synapseAnalyticsResourceId", "logAnalyticsResourceId", "ossrDbmsResourceId", "ossrdbmsResourceId", "appServiceResourceId",
	} {
		cloud[service] = "https://" + nowhere
	}
	return cloud
}

func suffixes() object {
	all := object{}
	for _, name := range []string{
		"storage", "keyVaultDns", "mhsmDns", "sqlServerHostname", "mysqlServerEndpoint", "postgresqlServerEndpoint", "mariadbServerEndpoint",
		"acrLoginServer", "azureDataLakeStoreFileSystem", "azureDataLakeAnalyticsCatalogAndJob", "azureFrontDoorEndpointSuffix",
		"storageSyncEndpointSuffix", "synapseAnalytics", "attestationEndpoint",
	} {
		all[name] = name + "." + nowhere
	}
	all["storage"], all["keyVaultDns"] = nowhere, "vault."+nowhere
	return all
}
