package arm

const (
	deploymentsPath   = groupPath + "/providers/Microsoft.Resources/deployments"
	deploymentPath    = deploymentsPath + "/{deployment}"
	stepsPath         = groupPath + "/deployments/{deployment}/operations" // this way in Azure's specification
	deploymentsAction = "Microsoft.Resources/deployments/"
)

func routesOfDeployments() []route {
	return []route{
		{"Deployments_ListByResourceGroup", get, deploymentsPath, deploymentsAction + "read", limitNone, listDeployments},
		{"Deployments_Get", get, deploymentPath, deploymentsAction + "read", limitNone, getDeployment},
		{"Deployments_CheckExistence", head, deploymentPath, deploymentsAction + "read", limitNone, headDeployment},
		{"Deployments_CreateOrUpdate", put, deploymentPath, deploymentsAction + "write", limitNone, putDeployment},
		{"Deployments_Validate", post, deploymentPath + "/validate", deploymentsAction + "validate/action", limitNone, validateDeployment},
		{"Deployments_ExportTemplate", post, deploymentPath + "/exportTemplate", deploymentsAction + "exportTemplate/action", limitNone, exportDeployment},
		{"DeploymentOperations_List", get, stepsPath, deploymentsAction + "operations/read", limitNone, listDeploymentOperations},
		{"DeploymentOperations_Get", get, stepsPath + "/{step}", deploymentsAction + "operations/read", limitNone, getDeploymentOperation},
		{"DeploymentOperationStatuses_Get", get, deploymentPath + "/operationStatuses/{operation}", deploymentsAction + "operationstatuses/read", limitNone, getDeploymentStatus},
	}
}
