package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// Terms of plans in the Marketplace (recording 33). How they are accepted is
// documented; the errors are believed.

// plan is the publisher, offer and plan of the path.
func (c *call) plan() (publisher, offer, plan string, p *problem) {
	i, ok := c.world.Catalog.Image(c.param("publisher"), c.param("offer"), c.param("plan"))
	if !ok || !i.Plan {
		return "", "", "", azhttp.NewProblem(http.StatusBadRequest, "BadRequest",
			"Offer with PublisherId: %s, OfferId: %s and PlanId: %s not found. If this offer has been created recently, please allow upto 30 minutes for this offer to be available for Purchase. If error persists, contact support.",
			c.param("publisher"), c.param("offer"), c.param("plan"))
	}
	return i.Publisher, i.Offer, i.SKU, nil
}

func (c *call) terms(publisher, offer, plan string) *response {
	root := "/subscriptions/" + c.front.config.SubscriptionID + "/providers/Microsoft.MarketplaceOrdering/offerTypes/VirtualMachine"
	return &response{Status: http.StatusOK, Body: object{
		"id":   root + "/publishers/" + publisher + "/offers/" + offer + "/plans/" + plan + "/agreements/current",
		"name": plan, "type": "Microsoft.MarketplaceOrdering/offertypes",
		"properties": object{
			"publisher": publisher, "product": offer, "plan": plan, "accepted": c.world.Catalog.Accepted(publisher, offer, plan),
			"licenseTextLink": "https://armsim.invalid/legalterms/" + plan, "privacyPolicyLink": "https://armsim.invalid/privacy",
			"marketplaceTermsLink": "https://armsim.invalid/marketplaceterms/" + plan,
			"retrieveDatetime":     zulu(c.front.now()), "signature": signature(publisher, offer, plan),
		},
		"systemData": object{
			"createdBy": c.front.config.SubscriptionID, "createdByType": "ManagedIdentity", "createdAt": stamp(c.front.now()),
			"lastModifiedBy": c.front.config.SubscriptionID, "lastModifiedByType": "ManagedIdentity", "lastModifiedAt": stamp(c.front.now()),
		},
	}}
}

// signature is what whoever accepts terms sends back of them.
func signature(publisher, offer, plan string) string {
	return strings.ToUpper(strings.ReplaceAll(tag(publisher+":"+offer+":"+plan), "-", ""))
}

func getTerms(c *call) (*response, *problem) {
	publisher, offer, plan, p := c.plan()
	if p != nil {
		return nil, p
	}
	return c.terms(publisher, offer, plan), nil
}

func putTerms(c *call) (*response, *problem) {
	publisher, offer, plan, p := c.plan()
	if p != nil {
		return nil, p
	}
	accepted := jsonmap.Bool(c.body, "properties.accepted")
	if accepted && jsonmap.Text(c.body, "properties.signature") != signature(publisher, offer, plan) {
		return nil, azhttp.NewProblem(http.StatusBadRequest, "BadRequest", "The signature of the terms is invalid: send back the terms as they were read.")
	}
	c.world.Catalog.Accept(publisher, offer, plan, accepted)
	return c.terms(publisher, offer, plan), nil
}

func signTerms(accepted bool) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		publisher, offer, plan, p := c.plan()
		if p != nil {
			return nil, p
		}
		c.world.Catalog.Accept(publisher, offer, plan, accepted)
		return c.terms(publisher, offer, plan), nil
	}
}
