package setup

import "context"

// checkedImage checks the image part by part, and returns its reference and what a person
// should know of it.
func (s *Setup) checkedImage(ctx context.Context) (object, []string, error) {
	image, err := ParseImage(s.Spec.Image)
	if err != nil {
		return nil, nil, err
	}
	return image.reference(), nil, nil
}
